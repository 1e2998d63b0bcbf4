import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hash } from '@node-rs/bcrypt'
import { DOCS_PATH, pathOf } from '../../openapi/paths.js'
import { resolveSettings, type Configuration } from '../configuration/index.js'

/** Name of the sandbox's account. */
export const SANDBOX_ACCOUNT = 'demo'

/** A key for one start of the sandbox; `npm run dev` sets one that survives its restarts. */
export const sandboxKey = () => process.env.SPOT_API_SANDBOX_KEY || randomBytes(18).toString('base64url')

/** Where a sandbox listens, and its accounts, of which the first is used. */
interface Sandbox { url: string, accounts: { id: string, token: string }[] }

/** Configuration for the embedded sandbox: loopback only, a new directory at every start, and no audit. */
export function sandboxConfiguration (
  { url, accounts: [account] }: Sandbox, key: string
): Configuration {
  if (!account) throw new TypeError('the sandbox has no account')
  const { configuration } = resolveSettings({
    listenAddress: '127.0.0.1:8080',
    accounts: {
      [SANDBOX_ACCOUNT]: { ...account, endpoint: url, region: 'us-east-1', defaultVPC: 'vpc-0a1b2c3d4e5f60718' }
    },
    token: key,
    logLevel: 'warn',
    settleSeconds: 5,
    drainSeconds: 0,
    // Created by the first write: most sandboxes never need it, and some run on a read-only file system.
    state: { directory: join(tmpdir(), `spot-api-${randomBytes(12).toString('hex')}`) }
  }, { name: 'the sandbox', folder: '.', environment: {} })
  return { ...configuration, audit: undefined, sandbox: true }
}

/** Removes what a sandbox wrote to the disk. */
export async function forget ({ state }: Configuration): Promise<void> {
  if ('directory' in state) await rm(state.directory, { recursive: true, force: true })
}

/** What a newcomer sees at the start: everything can be pasted. */
export async function sandboxBanner (address: string, key: string): Promise<string> {
  const token = await hash(key, 10)
  const curl = (operationId: 'listElastigroups' | 'listInstances') =>
    `  curl -H 'X-Auth-Token: ${token}' ${address}${pathOf(operationId, { account: SANDBOX_ACCOUNT })}`
  return `
SANDBOX: a simulated Spot. Nothing here is real, nothing costs money, everything is lost when it ends.

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
