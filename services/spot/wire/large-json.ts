import pLimit from 'p-limit'
import { yieldIfLong } from '../../event-loop/yield.js'

type Parse = (text: string) => unknown

const parseJson: Parse = (text) => JSON.parse(text)

/** Characters: a millisecond or less. */
const BATCH = 64 * 1024

/** One at a time: the first is done sooner, and only one is in the memory both as text and in part as objects. */
const alone = pLimit(1)

/**
 * As `JSON.parse`, for answers of tens of megabytes, in turns with everything else this process does. They are that
 * large because of their list, `response.items`: it is cut out and parsed some elements at a time. What remains is
 * parsed with an empty list in its place, so that every character has passed through `JSON.parse` in the end.
 *
 * @param batch characters of the list that are parsed at once, at least
 * @param parse parses a piece of it that is JSON
 * @throws {SyntaxError} for what `JSON.parse` refuses
 */
export const parseLarge = (text: string, batch = BATCH, parse = parseJson): Promise<unknown> => alone(async () => {
  const names: string[] = [] // by depth: the name that the value at hand has, as it is written
  let list: unknown[] | undefined
  let frame = ''
  let framed = 0
  let depth = 0
  let word = ''
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '"': {
        const end = endOfString(text, at)
        word = depth < 3 ? text.slice(at, end + 1) : ''
        at = end
        break
      }
      case ':':
        if (depth < 3) names[depth] = word
        break
      case '}':
      case ']':
        depth--
        break
      case '{':
        if (++depth < 3) names[depth] = ''
        break
      case '[':
        if (depth === 2 && isNamed('response', names[1]) && isNamed('items', names[2])) {
          frame += text.slice(framed, at + 1)
          const { elements, end } = await elementsAt(text, at + 1, parse, batch)
          list = elements // of several the last one counts
          at = framed = end
        } else if (++depth < 3) names[depth] = ''
    }
  }
  const value = parse(frame + text.slice(framed)) as { response?: { items?: unknown } } | null
  if (value?.response && Array.isArray(value.response.items)) value.response.items = list
  return value
})

/** @param word the name as it is written: it may have escapes */
const isNamed = (name: string, word = '') => word !== '' && JSON.parse(word) === name

/** The elements from `at` to the end of their array, and where that is. */
async function elementsAt (
  text: string, at: number, parse: Parse, batch: number
): Promise<{ elements: unknown[], end: number }> {
  const elements: unknown[] = []
  for (;;) {
    await yieldIfLong()
    const end = endOfBatch(text, at, batch)
    const some = parse(`[${text.slice(at, end)}]`) as unknown[]
    const last = text[end] === ']'
    const only = last && elements.length === 0
    if (text[end] === '}' || (some.length === 0 && !only)) throw new SyntaxError(`${text[end]} at ${end} is unexpected`)
    for (const element of some) elements.push(element)
    if (last) return { elements, end }
    at = end + 1
  }
}

/** The first comma between elements that is far enough from `at`, or the end of their array. */
function endOfBatch (text: string, at: number, batch: number): number {
  let depth = 0
  for (let end = at; end < text.length; end++) {
    switch (text.charCodeAt(end)) {
      case 0x22: // "
        end = endOfString(text, end)
        break
      case 0x7b: // {
      case 0x5b: // [
        depth++
        break
      case 0x7d: // }
      case 0x5d: // ]
        if (depth-- === 0) return end
        break
      case 0x2c: // ,
        if (depth === 0 && end - at >= batch) return end
    }
  }
  throw new SyntaxError('The text ends within a list')
}

/** The quote that ends the string that begins at `at`. */
function endOfString (text: string, at: number): number {
  let end = at
  do {
    end = text.indexOf('"', end + 1)
    if (end < 0) throw new SyntaxError('The text ends within a string')
  } while (isEscaped(text, end))
  return end
}

/** Whether an odd number of backslashes stands before a character. */
function isEscaped (text: string, at: number): boolean {
  let from = at
  while (text[from - 1] === '\\') from--
  return (at - from) % 2 === 1
}
