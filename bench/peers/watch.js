// Part of a server that is measured: answers any message with the milliseconds of the longest stall of its event loop
// since the message before.
import { monitorEventLoopDelay } from 'node:perf_hooks'

const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
process.on('message', () => {
  process.send(delay.max / 1e6)
  delay.reset()
})
process.channel.unref() // a server that ends does not wait for more of them
