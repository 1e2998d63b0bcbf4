import { STAMPS_TIMEOUT, type StampStore } from '../../services/spot/stages/memory/shared-stamps.js'
import type { Faults } from './state.js'
import type { World } from './world.js'

/** The stamps of memory, which servers share over links that may fail. */
export function simulatedStamps (world: World) {
  const stamps = new Map<string, { stamp: string, excludedUntil: number }>()
  let count = 0
  const set = (name: string, excludedUntil: number) => {
    const entry = { stamp: `s${++count}`, excludedUntil }
    stamps.set(name, entry)
    return entry
  }
  const after = world.sleep

  return {
    /** @param link what goes wrong between one server and the stamps */
    linkedBy (link: Faults): StampStore {
      async function call<T> (act: () => T): Promise<T> {
        const refuse = async (milliseconds: number): Promise<never> => {
          await after(milliseconds)
          throw new Error('no answer')
        }
        if (link.partitioned) return refuse(STAMPS_TIMEOUT)
        const delay = () => Math.floor(world.random() * Math.min(link.delay, 100))
        await after(delay())
        const result = act()
        if (world.chance(link.lost)) return refuse(STAMPS_TIMEOUT)
        await after(delay())
        return result
      }
      return {
        read: (names) => call(() => names.map((name) => {
          const { stamp, excludedUntil } = stamps.get(name) ?? set(name, 0)
          return excludedUntil > world.now ? '' : stamp
        })),
        renew: (names, excludeFor) => call(() => {
          const until = excludeFor && world.now + excludeFor
          for (const name of names) set(name, Math.max(stamps.get(name)?.excludedUntil ?? 0, until))
        }),
        open: async () => {},
        close () {}
      }
    }
  }
}
