import { createRequire } from 'node:module'
import { ConfigurationError } from './error.js'

/** What is wrong, by the name that jsonc-parser has for it. None shows the text: it may be a secret. */
const words: Record<string, string> = {
  InvalidCommentToken: 'comments are not JSON: remove them',
  PropertyNameExpected: 'a name in double quotes is expected; no comma may stand before }',
  ValueExpected: 'a value is expected; no comma may stand before ]',
  ColonExpected: 'a colon is expected',
  CommaExpected: 'a comma is expected',
  CloseBraceExpected: 'a } is missing',
  CloseBracketExpected: 'a ] is missing',
  EndOfFileExpected: 'nothing may follow the last }',
  UnexpectedEndOfString: 'this string does not end on its line',
  InvalidEscapeCharacter: 'in a string, write a backslash as \\\\',
  InvalidUnicode: 'in a string, write a backslash as \\\\'
}

/** What begins what is no symbol of JSON. */
const begins: Record<string, string> = {
  '#': 'comments are not JSON: remove them',
  "'": 'names and strings need double quotes'
}
const OTHERWISE = 'this is neither a string in double quotes nor a number, true, false or null'

/**
 * The value of a JSON text, which may begin with a byte order mark, as editors of Windows write it.
 *
 * @throws {ConfigurationError} with line and column of the first fault
 */
export function parseJson (bytes: string, source: string): unknown {
  const text = bytes.replace(/^\uFEFF/, '')
  try {
    return JSON.parse(text)
  } catch {
    throw new ConfigurationError(source, [{ pointer: '', message: `is not valid JSON${whereIn(text)}` }])
  }
}

/** Loaded only where it is needed: JSON.parse does not say where, and quotes the text. */
function whereIn (text: string): string {
  if (text.trim() === '') return ': it is empty'
  if (text.includes('\0')) return ': it is not UTF-8'
  const { visit, printParseErrorCode } = createRequire(import.meta.url)('jsonc-parser') as typeof import('jsonc-parser')
  let first: string | undefined
  visit(text, {
    onError (code, offset, _, line, column) {
      const name = printParseErrorCode(code)
      const message = words[name] ?? begins[text[offset] ?? ''] ?? OTHERWISE
      first ??= `: line ${line + 1}, column ${column + 1}: ${message}`
    }
  }, { disallowComments: true })
  return first ?? ''
}
