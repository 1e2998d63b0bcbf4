import fc from 'fast-check'
import type { Test } from 'tap'
import { StateError, type State, type StateRecord, type Version } from '../services/state/index.js'
import { until } from './until.js'

/** A state of the test's own. */
export interface Place {
  /** One more handle on it, closed when the test ends. */
  handle (): State
  /** Lets time pass by the clock of the state, if only a little. */
  pass (): Promise<void>
}

export const HOUR = 3_600_000

export async function everything (state: State): Promise<Record<string, StateRecord>> {
  const records: Record<string, StateRecord> = {}
  for await (const [key, record] of state.all()) records[key] = record
  return records
}

/** The error of a call that must fail. */
export async function failure (t: Test, call: Promise<unknown>): Promise<StateError> {
  const error = await call.then(() => undefined, (error) => error)
  t.type(error, StateError)
  return error
}

/** What every state does, whatever keeps it. */
export const contract: Record<string, (t: Test, place: Place) => Promise<void>> = {
  async 'a record is read as it was written, with its version' (t, { handle }) {
    const state = handle()
    t.equal(await state.get('a'), undefined)
    const values = ['', 'plain', 'two words, 1 2', 'ünïcödé 🚀\u0000\n"\\', 'x'.repeat(1_000_000)]
    for (const [i, value] of values.entries()) {
      const key = `key ${i} ü:/`
      const version = await state.swap(key, undefined, value, HOUR)
      t.type(version, 'number')
      t.match(await state.get(key), { value, version, age: Number })
      t.match((await everything(state))[key], { value, version, age: Number })
    }
  },

  async 'of 50 claims at once one succeeds, through whatever handle' (t, { handle }) {
    const states = [handle(), handle()]
    for (const key of ['a', 'b', 'c']) {
      const claims = await Promise.all(Array.from({ length: 50 }, async (_, i) => {
        const version = await states[i % 2]?.swap(key, undefined, `claim ${i}`, HOUR)
        return version === undefined ? [] : [{ value: `claim ${i}`, version }]
      }))
      const [winner, ...others] = claims.flat()
      t.strictSame(others, [])
      for (const state of states) t.match(await state.get(key), winner)
    }
  },

  async 'a swap or removal needs the current version' (t, { handle }) {
    const state = handle()
    const first = await state.swap('a', undefined, 'first', HOUR) as Version
    const second = await state.swap('a', first, 'second', HOUR) as Version
    t.equal(await state.swap('a', first, 'late', HOUR), undefined)
    t.equal(await state.swap('a', undefined, 'late', HOUR), undefined)
    t.equal(await state.swap('b', first, 'never claimed', HOUR), undefined)
    t.equal(await state.remove('a', first), false)
    t.equal(await state.remove('b', first), false)
    t.match(await state.get('a'), { value: 'second', version: second })
    t.equal(await state.get('b'), undefined)
  },

  async 'of 50 swaps of the same version one succeeds' (t, { handle }) {
    const state = handle()
    const version = await state.swap('a', undefined, 'first', HOUR)
    const swaps = await Promise.all(Array.from({ length: 50 }, (_, i) => state.swap('a', version, `${i}`, HOUR)))
    t.equal(swaps.filter(Boolean).length, 1)
    t.equal((await state.get('a'))?.value, String(swaps.findIndex(Boolean)))
  },

  async 'a removed record can be claimed again, and its old version is no longer valid' (t, { handle }) {
    const state = handle()
    const first = await state.swap('a', undefined, 'first', HOUR) as Version
    t.equal(await state.remove('a', first), true)
    t.equal(await state.get('a'), undefined)
    t.equal(await state.remove('a', first), false)
    t.ok(await state.swap('a', undefined, 'second', HOUR))
    t.equal(await state.swap('a', first, 'late', HOUR), undefined)
    t.equal((await state.get('a'))?.value, 'second')
  },

  async 'an expired record is not read, swapped, removed or listed, and one of 50 can claim it' (t, place) {
    const state = place.handle()
    const brief = await state.swap('a', undefined, 'brief', 1) as Version
    await until(async () => await state.get('a') === undefined, place.pass)
    t.equal(await state.swap('a', brief, 'late', HOUR), undefined)
    t.equal(await state.remove('a', brief), false)
    t.strictSame(await everything(state), {})
    const claims = await Promise.all(Array.from({ length: 50 }, (_, i) => state.swap('a', undefined, `${i}`, HOUR)))
    t.equal(claims.filter(Boolean).length, 1)
  },

  async 'a swap shortens the life of a record' (t, place) {
    const state = place.handle()
    const long = await state.swap('a', undefined, 'long', HOUR)
    t.ok(await state.swap('a', long, 'brief', 1))
    await until(async () => await state.get('a') === undefined, place.pass)
  },

  async 'a swap prolongs the life of a record' (t, place) {
    const state = place.handle()
    // On a busy machine a record may be gone before it can be prolonged; then it lives twice as long.
    for (let ttl = 20; ; ttl *= 2) {
      const brief = await state.swap(`a${ttl}`, undefined, 'brief', ttl)
      if (await state.swap(`a${ttl}`, brief, 'long', HOUR) === undefined) continue
      await state.swap('later', undefined, 'brief', ttl)
      await until(async () => await state.get('later') === undefined, place.pass)
      t.equal((await state.get(`a${ttl}`))?.value, 'long')
      break
    }
  },

  async 'a record says how long ago it was written, which a swap resets' (t, place) {
    const state = place.handle()
    const first = await state.swap('a', undefined, 'first', HOUR)
    await state.swap('b', undefined, 'left as it is', HOUR)
    const ageOf = async (key: string) => (await state.get(key))?.age ?? -1
    await until(async () => await ageOf('b') >= 2, place.pass)
    await state.swap('a', first, 'second', HOUR)
    const young = await ageOf('a')
    const old = await ageOf('b')
    t.ok(young >= 0)
    t.ok(young + 2 <= old, `${young}, ${old}`)
    const { a, b } = await everything(state)
    t.ok(a && b && a.age >= young && b.age >= old && a.age < b.age)
  },

  async 'all records are listed, however many' (t, { handle }) {
    const state = handle()
    const keys = Array.from({ length: 1100 }, (_, i) => `k${i}`)
    const versions = await Promise.all(keys.map((key) => state.swap(key, undefined, `value of ${key}`, HOUR)))
    const records = await everything(state)
    t.strictSame(Object.keys(records).sort(), keys.toSorted())
    for (const [i, key] of keys.entries()) {
      const { value, version } = records[key] ?? {}
      if (value !== `value of ${key}` || version !== versions[i]) t.fail(key)
    }
  },

  async 'records are still there after the state was closed and opened again' (t, { handle }) {
    const first = handle()
    const version = await first.swap('a', undefined, 'kept', HOUR)
    await first.close()
    t.match(await failure(t, first.get('a')), { message: /closed/ })
    t.match(await handle().get('a'), { value: 'kept', version })
  },

  async 'what is under way when it is closed is done' (t, { handle }) {
    const first = handle()
    const claims = Array.from({ length: 20 }, (_, i) => first.swap(`k${i}`, undefined, 'x', HOUR))
    const closed = first.close()
    const versions = await Promise.all(claims)
    await closed
    const records = await everything(handle())
    t.strictSame(versions, Array.from({ length: 20 }, (_, i) => records[`k${i}`]?.version))
  },

  async 'two handles agree with one map, whatever they do in turn' (t, { handle }) {
    const states = [handle(), handle()]
    const step = fc.record({
      by: fc.nat(1),
      key: fc.constantFrom('a', 'b', 'c'),
      act: fc.constantFrom('get', 'claim', 'swap', 'stale swap', 'remove', 'stale remove'),
      value: fc.string()
    })
    let runs = 0
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const run = runs++
      const model = new Map<string, Pick<StateRecord, 'value' | 'version'>>()
      for (const { by, key, act, value } of steps) {
        const state = states[by] as State
        const name = `${run}${key}`
        const held = model.get(name)
        const version = act.startsWith('stale') ? 5 : held?.version ?? 7
        if (act === 'get') {
          same(bare(await state.get(name)), held)
        } else if (act.endsWith('remove')) {
          same(await state.remove(name, version), version === held?.version)
          if (version === held?.version) model.delete(name)
        } else {
          const expected = act === 'claim' ? undefined : version
          const given = await state.swap(name, expected, value, HOUR)
          same(given !== undefined, expected === held?.version)
          if (given !== undefined) model.set(name, { value, version: given })
        }
      }
      const records = Object.entries(await everything(states[run % 2] as State))
        .filter(([name]) => /^\d+/.exec(name)?.[0] === String(run))
      same(new Map(records.map(([name, record]) => [name, bare(record)])), model)
    }), { numRuns: 30 })
    t.pass(`${runs} sequences`)

    function bare (record: StateRecord | undefined) {
      return record && { value: record.value, version: record.version }
    }
    function same (found: unknown, wanted: unknown) {
      if (!t.strictSame(found, wanted)) throw new Error('they differ')
    }
  }
}
