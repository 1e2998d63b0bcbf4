// The simulated Spot, without its limit unless it is given one.
import { startSandbox } from '../../dist/sandbox/index.js'

const { rateLimit = Number.MAX_SAFE_INTEGER } = JSON.parse(process.argv[2])
const { url, accounts: [account] } = await startSandbox({ rateLimit })
process.send({ url, account: { ...account, endpoint: url } })
