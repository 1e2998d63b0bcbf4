import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hash } from '@node-rs/bcrypt'
import { DOCS_PATH, pathOf } from '../../openapi/paths.js'
import { owner, type Configuration } from '../configuration/index.js'

/** Name of the sandbox's account. */
export const SANDBOX_ACCOUNT = 'demo'

/** A key for one start of the sandbox; `npm run dev` sets one that survives its restarts. */
export const sandboxKey = () => process.env.SPOT_API_SANDBOX_KEY || randomBytes(18).toString('base64url')

/** Where a sandbox listens, and its accounts: the first is used. */
interface Sandbox { url: string, accounts: { id: string, token: string }[] }

/** A configuration for the embedded sandbox: loopback only, and a new directory at every start. */
export function sandboxConfiguration (
  { url, accounts: [account] }: Sandbox, key: string
): Configuration {
  if (!account) throw new TypeError('the sandbox has no account')
  return {
    listen: { host: '127.0.0.1', port: 8080 },
    accounts: {
      [SANDBOX_ACCOUNT]: { ...account, endpoint: url, region: 'us-east-1', defaultVPC: 'vpc-0a1b2c3d4e5f60718' }
    },
    clients: [owner(key)],
    keysTried: 1,
    trustedProxies: [],
    maxRequests: 1000,
    share: 0.5,
    logLevel: 'warn',
    organization: undefined,
    source: undefined,
    audit: undefined,
    deadlines: { read: 10_000, write: 60_000 },
    reads: { freshFor: 1000, staleFor: 60_000 },
    settle: 5000,
    drainSeconds: 0,
    // Made when it is first written to: most sandboxes never need it, and some run where nothing can be written.
    state: { directory: join(tmpdir(), `spot-api-${randomBytes(12).toString('hex')}`) },
    sandbox: true
  }
}

/** Removes what a sandbox left on the disk. */
export async function forget ({ state }: Configuration): Promise<void> {
  if ('directory' in state) await rm(state.directory, { recursive: true, force: true })
}

/** What a newcomer reads at the start: everything to paste. */
export async function sandboxBanner (address: string, key: string): Promise<string> {
  const token = await hash(key, 10)
  const curl = (operationId: 'listElastigroups' | 'listInstances') =>
    `  curl -H 'X-Auth-Token: ${token}' ${address}${pathOf(operationId, { account: SANDBOX_ACCOUNT })}`
  return `
SANDBOX: a simulated Spot. Nothing here is real, nothing costs money, all is forgotten at the end.

  key           ${key}
  X-Auth-Token  '${token}'

Try it:
${curl('listElastigroups')}
${curl('listInstances')}

Docs:
  ${address}${DOCS_PATH}

For real accounts: npm start -- --config FILE. Ctrl-C ends it.
`
}
