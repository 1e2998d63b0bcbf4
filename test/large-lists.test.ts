import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import type { components } from '../openapi/types.js'
import { openEnvelope } from '../services/spot/wire/envelope.js'
import { parseLarge } from '../services/spot/wire/large-json.js'
import { inTurns } from '../services/event-loop/yield.js'
import { stopTime } from './clock.js'
import { startGateway, TOKEN } from './helper.js'

type Summary = components['schemas']['ElastigroupSummary']

const FULL = process.env.CHAOS === 'full'

const FEW = { maxLength: 4 }

/** Names that lead to the list, nearly lead to it, or are written so that a scanner could stumble. */
const name = fc.constantFrom(
  'response', 'items', 'item', '__proto__', '', '"', '\\', '\\"', '{', '[', ',', ':', 'é', '𝄞')

/** Members in their order, some names more than once: as a list, since no object has that. */
class Members {
  constructor (readonly members: [string, unknown][]) {}
}
const membersOf = (members: [string, unknown][]) => new Members(members)

/** Any value, with a taste for what could be mistaken for the list or its end. */
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, true, false, 0, -1.5e-7),
    name,
    fc.string({ unit: 'binary', maxLength: 5 }),
    fc.array(tie('value'), FEW),
    fc.array(fc.tuple(name, tie('value')), FEW).map(membersOf)
  )
}))

/** How a text is written: numbers that are used one after the other, over and over. */
const style = fc.array(fc.nat(9), { minLength: 1, maxLength: 8 })

/** JSON with spaces between its tokens here and there, and with strings of escapes. */
function write (value: unknown, style: number[]): string {
  let count = 0
  const next = () => style[count++ % style.length] ?? 0
  const space = () => ['', '', '', '', '', '', '', ' ', '\n\t', '\r\n  '][next()] ?? ''
  const escaped = (text: string) => Array.from({ length: text.length }, (_, i) =>
    `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')
  const string = (text: string) => next() < 8 ? JSON.stringify(text) : `"${escaped(text)}"`
  const joined = (parts: string[]) => space() + parts.join(space() + ',' + space()) + space()
  const member = ([name, inner]: [string, unknown]) => string(name) + space() + ':' + space() + any(inner)
  const any = (value: unknown): string => {
    if (typeof value === 'string') return string(value)
    if (Array.isArray(value)) return `[${joined(value.map(any))}]`
    if (typeof value !== 'object' || value === null) return JSON.stringify(value)
    return `{${joined((value instanceof Members ? value.members : Object.entries(value)).map(member))}}`
  }
  return space() + any(value) + space()
}

/** Answers of Spot, with more or less of what makes them so. */
const list = fc.tuple(fc.constant('items'), fc.oneof(fc.array(value, FEW), value))
const other = fc.tuple(name, value)
const response = fc.tuple(
  fc.constant('response'), fc.oneof(fc.array(fc.oneof(list, other), FEW).map(membersOf), value))
const answer = fc.oneof(fc.array(fc.oneof(response, other), FEW).map(membersOf), value)
const text = fc.tuple(answer, style).map(([answer, style]) => write(answer, style))
const batch = fc.integer({ min: 0, max: 30 })

/** What a parser makes of a text: the value, or that it refuses it. */
const resultOf = async (parse: (text: string) => unknown, text: string) => {
  try {
    return { value: await parse(text) }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return 'refused'
  }
}

/** Whether it is what JSON.parse makes of it. Keys in their order, too: replies keep it. */
async function isSame (text: string, batch: number) {
  const [ours, theirs] = [await resultOf((text) => parseLarge(text, batch), text), await resultOf(JSON.parse, text)]
  return isDeepStrictEqual(ours, theirs) && JSON.stringify(ours) === JSON.stringify(theirs)
}

t.test('a large answer is parsed as JSON.parse would parse it', async () => {
  await fc.assert(fc.asyncProperty(text, batch, (text, batch) => isSame(text, batch)), { numRuns: FULL ? 3000 : 300 })
})

t.test('a large answer that was cut or altered is refused where JSON.parse refuses it', async () => {
  const piece = fc.constantFrom(
    '', ',', ':', '"', '\\', '[', ']', '{', '}', '[]', '{}', 'null', '0', ' ', '\uFEFF', '"items":[1],')
  const place = fc.double({ min: 0, max: 1, noNaN: true })
  await fc.assert(fc.asyncProperty(text, batch, place, fc.nat(3), piece, (text, batch, place, length, piece) => {
    const at = Math.round(place * text.length)
    return isSame(text.slice(0, at) + piece + text.slice(at + length), batch)
  }), { numRuns: FULL ? 10_000 : 1000 })
})

t.test('every short list of JSON tokens is parsed as JSON.parse would parse it', async (t) => {
  const tokens = ['1', ',', '[', ']', '{', '}', '""', ':', ' ']
  let texts = ['']
  for (let length = 1; length <= (FULL ? 4 : 3); length++) {
    texts = texts.flatMap((text) => tokens.map((token) => text + token))
    for (const list of texts) {
      for (const text of [`{"response":{"items":[${list}]}}`, `{"response":{"items":[${list}`]) {
        if (!await isSame(text, 0)) t.fail(text)
      }
    }
  }
})

/** Counts the turns of the event loop. */
function countTurns () {
  let turns = 0
  let over = false
  const next = () => {
    if (over) return
    turns++
    setImmediate(next)
  }
  next()
  return {
    sofar: () => turns,
    end () {
      over = true
      return turns
    }
  }
}

/** An answer of Spot as large as `count` groups make it, a few kilobytes each. */
function largeAnswer (count: number): string {
  const userData = Buffer.alloc(2000, 'a text that is long').toString('base64')
  const launchSpecification = { userData, tags: [{ tagKey: 'team', tagValue: 'web' }] }
  const items = Array.from({ length: count }, (_, i) => ({
    id: `sig-${i}`, name: `group-${i}`, capacity: { target: i }, compute: { launchSpecification }
  }))
  return JSON.stringify({ request: { id: 'r' }, response: { status: { code: 200 }, items, count } })
}

t.test('parsing large answers does not block the event loop', async (t) => {
  const text = largeAnswer(5000)
  const turns = countTurns()
  const envelopes = await Promise.all(Array.from({ length: 4 }, () => openEnvelope('application/json', text)))
  t.ok(turns.end() > 2 * envelopes.length, `${turns.end()} turns`)
  const expected = { ...JSON.parse(text), size: text.length }
  for (const envelope of envelopes) t.ok(isDeepStrictEqual(envelope, expected))
})

t.test('a large answer that is not JSON, or lacks the envelope of Spot, is unreadable', async (t) => {
  const text = largeAnswer(1000)
  for (const wrong of [text.slice(0, -1), text + ',', `[${text}]`, text.replace('response', 'respond')]) {
    t.equal(await openEnvelope('application/json', wrong), undefined)
  }
  t.equal(await openEnvelope('text/html', text), undefined)
})

t.test('work on a list in slices covers all of it, in its order', async (t) => {
  for (const length of [0, 1, 50, 51, 1000]) {
    const list = [...Array(length).keys()]
    t.strictSame((await inTurns(list, (some) => some.map((n) => n * 2))).flat(), list.map((n) => n * 2), `${length}`)
  }
})

t.test('work on a list in slices gives way when a slice of time is used up', async (t) => {
  const { tick } = stopTime(t)
  const turns = countTurns()
  const seen = await inTurns([...Array(1000).keys()], () => {
    tick(10)
    return turns.sofar()
  })
  turns.end()
  t.ok(seen.length > 10)
  t.equal(new Set(seen).size, seen.length, 'no two pieces in one turn')
})

/** Characters of the longest text that JSON is asked to read or to write at once, while something is done. */
async function longestText<T> (work: () => Promise<T>): Promise<{ longest: number, result: T }> {
  const { parse, stringify } = JSON
  let longest = 0
  const noted = (text: string) => {
    longest = Math.max(longest, text?.length ?? 0)
    return text
  }
  JSON.parse = (text: string, ...rest) => parse(noted(text), ...rest)
  JSON.stringify = (...given: [unknown]) => noted(stringify(...given))
  try {
    const result = await work()
    return { longest, result }
  } finally {
    Object.assign(JSON, { parse, stringify })
  }
}

t.test('a list of thousands reaches the caller in full, without blocking the event loop', async (t) => {
  const text = largeAnswer(5000)
  const spot = createServer((_, response) => response.setHeader('content-type', 'application/json').end(text))
  t.teardown(() => spot.close())
  spot.listen(0, '127.0.0.1')
  await once(spot, 'listening')
  const { port } = spot.address() as AddressInfo
  const { url } = await startGateway(t, {
    endpoint: `http://127.0.0.1:${port}`, configuration: { deadlines: { read: 60_000, write: 60_000 } }
  })
  const list = async (query = '') => {
    const response = await fetch(`${url}/v1/spot/demo/elastigroups${query}`, { headers: { 'x-auth-token': TOKEN } })
    return response.text()
  }
  const { longest, result } = await longestText(() => Promise.all([list(), list('?name=group-4*')]))
  t.ok(longest > 0 && longest < text.length / 50, `${longest} of ${text.length} characters at once`)
  const [all, some] = result.map((text) => JSON.parse(text)) as [Summary[], Summary[]]
  t.equal(all.length, 5000)
  t.ok(all.every(({ id, capacity }, i) => id === `sig-${i}` && capacity.target === i), 'in their order')
  t.ok(isDeepStrictEqual(some, all.filter(({ name }) => name?.startsWith('group-4'))), 'filtered')
})
