// Part of a server that is measured: answers any message with the longest stall of its event loop since the message
// before, in milliseconds: by the clock, and of it what its thread ran. On a busy machine the rest of a stall is
// waiting for a core.
import { readFileSync } from 'node:fs'

/** proc(5): nanoseconds that the thread ran. */
const ran = () => Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6

let longest = { clock: 0, ran: 0 }
let last = { clock: performance.now(), ran: ran() }

setInterval(() => {
  const now = { clock: performance.now(), ran: ran() }
  const stall = { clock: now.clock - last.clock, ran: now.ran - last.ran }
  longest = { clock: Math.max(longest.clock, stall.clock), ran: Math.max(longest.ran, stall.ran) }
  last = now
}, 1).unref()

process.on('message', () => {
  process.send(longest)
  longest = { clock: 0, ran: 0 }
})
process.channel.unref() // a server that ends does not wait for more of them
