import { createRequire } from 'node:module'
import { jsonPointer } from '../problems/pointer.js'
import { isObject } from '../resources/json.js'
import { textOf } from '../resources/utf8.js'
import { ConfigurationError, type ConfigurationFault } from './error.js'

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
  InvalidCharacter: 'in a string, write a tab as \\t',
  InvalidEscapeCharacter: 'in a string, write a backslash as \\\\',
  InvalidUnicode: 'in a string, write a backslash as \\\\'
}

/** What begins what is no symbol of JSON. */
const begins: Record<string, string> = {
  '#': 'comments are not JSON: remove them',
  "'": 'names and strings need double quotes'
}
const OTHERWISE = 'this is neither a string in double quotes nor a number, true, false or null'

/** The value of a JSON text, and which names an object in it has twice: JSON.parse takes the last of them. */
interface Parsed { value: unknown, repeated: ConfigurationFault[] }

/**
 * Reads JSON.
 *
 * @param bytes UTF-8; may begin with a byte order mark, as editors of Windows write it
 * @throws {ConfigurationError} with line and column of the first fault
 */
export function parseJson (bytes: Buffer, source: string): Parsed {
  const refuse = (why: string): never => {
    throw new ConfigurationError(source, [{ pointer: '', message: `is not valid JSON: ${why}` }])
  }
  const text = textOf(bytes)
  if (text === undefined || text.includes('\0')) return refuse('it is not UTF-8')
  try {
    const value = JSON.parse(text)
    return { value, repeated: namesIn(value) < namesWritten(text) ? repeatedNames(text) : [] }
  } catch {
    return refuse(text.trim() === '' ? 'it is empty' : firstFault(text))
  }
}

/** How many names the objects in a value have, all together. */
function namesIn (value: unknown): number {
  const inner = Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []
  return inner.reduce<number>((sum, one) => sum + namesIn(one), isObject(value) ? inner.length : 0)
}

/** How many names a JSON text has: strings before a colon. */
const namesWritten = (text: string): number =>
  [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)].filter(([, colon]) => colon).length

// Loaded only where it is needed: JSON.parse says neither where, nor what was there twice.
const visit: typeof import('jsonc-parser').visit = (...given) => jsonc().visit(...given)
const jsonc = () => createRequire(import.meta.url)('jsonc-parser') as typeof import('jsonc-parser')

function repeatedNames (text: string): ConfigurationFault[] {
  const faults: ConfigurationFault[] = []
  const open: Set<string>[] = []
  visit(text, {
    onObjectBegin: () => { open.push(new Set()) },
    onObjectEnd: () => { open.pop() },
    onObjectProperty (name, _, __, line, column, path) {
      const names = open.at(-1)
      const message = `is there twice, the second time in line ${line + 1}, column ${column + 1}`
      if (names?.has(name)) faults.push({ pointer: jsonPointer([...path(), name]), message })
      names?.add(name)
    }
  })
  return faults
}

function firstFault (text: string): string {
  let first: string | undefined
  visit(text, {
    onError (code, offset, _, line, column) {
      const name = jsonc().printParseErrorCode(code)
      const message = words[name] ?? begins[text[offset] ?? ''] ?? OTHERWISE
      first ??= `line ${line + 1}, column ${column + 1}: ${message}`
    }
  }, { disallowComments: true })
  return first ?? 'it cannot be read'
}
