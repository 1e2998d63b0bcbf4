import { StateError, type State, type StateRecord, type Version } from '../../services/state/index.js'
import type { Clock } from './clock.js'

/** What goes wrong between one server and the state. */
export interface Faults {
  /** Share of calls, 0 to 1, that are lost on their way: nothing is done. */
  dropped: number
  /** Share of calls, 0 to 1, that are carried out and fail all the same: their answer is lost. */
  lost: number
  /** Longest delay of a call before it is carried out, and of its answer; milliseconds. */
  delay: number
  /** Whether nothing gets through: calls fail after `timeout`, and nothing is done. */
  partitioned: boolean
}

export interface SimulatedHandle extends State {
  /** To be changed at any time, for this handle alone. */
  faults: Faults
}

export interface SimulationOptions {
  /** The state's own clock. */
  clock: Clock
  /** A number from 0 up to 1, as Math.random makes it; decides every fault and version. */
  random: () => number
  /** Milliseconds that a call may take. What is carried out after that is done without its caller knowing. */
  timeout?: number
}

interface Row { value: string, version: Version, written: number, until: number }

/**
 * The state in memory, for simulations: each handle is the state as one server sees it, with faults of its own. The
 * same clock and the same random numbers give the same history.
 */
export function simulatedState ({ clock, random, timeout = 2500 }: SimulationOptions) {
  const rows = new Map<string, Row>()

  const living = (key: string) => {
    const row = rows.get(key)
    return row && row.until > clock.now() ? row : undefined
  }
  const recordOf = ({ value, version, written }: Row): StateRecord =>
    ({ value, version, age: Math.max(0, clock.now() - written) })

  function handle (): SimulatedHandle {
    const faults: Faults = { dropped: 0, lost: 0, delay: 0, partitioned: false }
    let closed = false

    async function call<T> (act: () => T): Promise<T> {
      if (closed) throw new StateError('The simulated state cannot be used: it was closed.')
      const noAnswer = async (milliseconds: number) => {
        await clock.sleep(milliseconds)
        throw new StateError('The simulated state cannot be used: no answer.')
      }
      if (faults.partitioned) return noAnswer(timeout)
      const [before, after] = [Math.floor(random() * faults.delay), Math.floor(random() * faults.delay)]
      if (before > timeout) {
        clock.sleep(before).then(act)
        return noAnswer(timeout)
      }
      if (before > 0) await clock.sleep(before)
      if (random() < faults.dropped) return noAnswer(timeout - before)
      const result = act()
      if (random() < faults.lost || before + after > timeout) return noAnswer(timeout - before)
      if (after > 0) await clock.sleep(after)
      return result
    }

    return {
      faults,
      get: (key) => call(() => {
        const row = living(key)
        return row && recordOf(row)
      }),
      swap: (key, expected, value, ttl) => call(() => {
        if (living(key)?.version !== expected) return undefined
        const version = 1 + Math.floor(random() * (2 ** 48 - 1))
        rows.set(key, { value, version, written: clock.now(), until: clock.now() + ttl })
        return version
      }),
      remove: (key, expected) => call(() => living(key)?.version === expected && rows.delete(key)),
      async * all () {
        const records = await call(() => [...rows.keys()].flatMap((key): [string, StateRecord][] => {
          const row = living(key)
          return row ? [[key, recordOf(row)]] : []
        }))
        yield * records
      },
      async close () {
        closed = true
      }
    }
  }

  return { handle }
}
