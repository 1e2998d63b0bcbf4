import type { SharedWindow } from '../../services/spot/stages/limit/index.js'
import { RouteWindow, type Feedback, type Send } from '../../services/spot/stages/limit/window.js'
import type { Faults } from './state.js'
import type { World } from './world.js'

/** What servers share of Spot's rate limit, over links that may fail. */
export function simulatedWindow (world: World) {
  const routes = new Map<string, RouteWindow>()
  const after = world.sleep
  const windowOf = (route: string) => {
    const window = routes.get(route) ?? new RouteWindow()
    routes.set(route, window)
    return window
  }

  return {
    /** @param link what goes wrong between one server and the window */
    linkedBy (link: Faults): SharedWindow {
      async function call<T> (act: () => T): Promise<T> {
        if (link.partitioned) return new Promise<T>(() => {}) // it hangs, and is given up
        await after(Math.floor(world.random() * Math.min(link.delay, 50)))
        const result = act()
        if (world.chance(link.lost)) return new Promise<T>(() => {})
        await after(Math.floor(world.random() * Math.min(link.delay, 50)))
        return result
      }
      return {
        connect: () => call(() => {}),
        enter: (route, ask) => call(() => {
          const reply = windowOf(route).enter(world.now, ask)
          // A server that dies never says that its call has ended.
          if (!('wait' in reply)) world.at(world.now + ask.lease, () => ended(route, reply, undefined))
          return reply
        }),
        leave: (route, client, send, feedback) => call(() => {
          ended(route, send ?? windowOf(route).record(world.now, client), feedback)
        }),
        close () {}
      }

      function ended (route: string, send: Send & { over?: boolean }, feedback: Feedback) {
        if (send.over) return
        send.over = true
        windowOf(route).leave(world.now, send, feedback)
      }
    }
  }
}
