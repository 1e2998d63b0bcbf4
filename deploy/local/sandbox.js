// The simulated Spot as a process. Usage: fork('sandbox.js', [JSON of its options]); it sends its account and answers
// messages: { inject: fault } and { transcript: true }.
import { startSandbox } from '../../dist/sandbox/index.js'

const { faults, transcript } = await startSandbox(JSON.parse(process.argv[2]))

process.on('message', ({ inject }) => {
  if (inject) faults.inject(inject)
  process.send(inject ? {} : transcript)
})
process.on('disconnect', () => process.exit())
