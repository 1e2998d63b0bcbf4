// The simulated Spot, without its limit.
import { startSandbox } from '../../dist/services/sandbox/index.js'

const { url, accounts: [account] } = await startSandbox({ rateLimit: Number.MAX_SAFE_INTEGER })
process.send({ url, account: { ...account, endpoint: url } })
