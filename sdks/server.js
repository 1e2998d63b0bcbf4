import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A server with one account in front of a sandbox, from the sources: only with `--import=tsx`. */
export async function startAlone (options) {
  const { build } = await import('../app.js')
  const { resolveSettings } = await import('../services/configuration/index.js')
  const { startSandbox } = await import('../sandbox/index.js')
  const { hash } = await import('@node-rs/bcrypt')
  const sandbox = await startSandbox(options)
  const directory = mkdtempSync(join(tmpdir(), 'spot-api-sdks-'))
  const key = 'the-key-of-the-programs'
  const { configuration } = resolveSettings({
    accounts: { demo: { ...sandbox.accounts[0], endpoint: sandbox.url } },
    token: key,
    state: { directory },
    drainSeconds: 0,
    logLevel: 'warn'
  }, { name: 'the programs', folder: directory, environment: {} })
  const app = await build({ ...configuration, audit: undefined })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    url,
    account: 'demo',
    key,
    token: await hash(key, 4),
    transcript: async () => sandbox.transcript,
    end: async () => {
      await app.close()
      await sandbox.close()
      rmSync(directory, { recursive: true, force: true })
    }
  }
}
