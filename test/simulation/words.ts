import type { SharedWords } from '../../services/spot/stages/memory/shared-counters.js'
import type { Faults } from './state.js'
import type { World } from './world.js'

/** The words of all counters, which servers share over links that may fail. */
export function simulatedWords (world: World) {
  const words = new Map<string, { word: string, heldUntil: number }>()
  let drawn = 0
  const draw = (name: string, heldUntil: number) => {
    const entry = { word: `w${++drawn}`, heldUntil }
    words.set(name, entry)
    return entry
  }
  const after = world.sleep

  return {
    /** @param link what goes wrong between one server and the words */
    linkedBy (link: Faults): SharedWords {
      async function call<T> (act: () => T): Promise<T> {
        const refuse = async (milliseconds: number): Promise<never> => {
          await after(milliseconds)
          throw new Error('no answer')
        }
        if (link.partitioned) return refuse(250)
        const delay = () => Math.floor(world.random() * Math.min(link.delay, 100))
        await after(delay())
        const result = act()
        if (world.chance(link.lost)) return refuse(250)
        await after(delay())
        return result
      }
      return {
        read: (names) => call(() => names.map((name) => {
          const { word, heldUntil } = words.get(name) ?? draw(name, 0)
          return heldUntil > world.now ? '' : word
        })),
        change: (names, holdFor) => call(() => {
          const until = holdFor && world.now + holdFor
          for (const name of names) draw(name, Math.max(words.get(name)?.heldUntil ?? 0, until))
        }),
        open: async () => {},
        close () {}
      }
    }
  }
}
