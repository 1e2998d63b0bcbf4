import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { startSandbox, type SandboxOptions } from '../services/sandbox/index.js'
import { KEY } from './helper.js'
import { server } from './server-process.js'

interface Surroundings {
  /** Where it runs: a folder of the test alone, with these files in it, unless set. */
  folder?: string | undefined
  files?: object
  /** What it reads on its standard input. */
  input?: string
  /** JavaScript that runs in it before its own. */
  preload?: string
}

/** spot-api as a process of its own. */
export function run (t: Test, words: string[], surroundings: Surroundings = {}) {
  const { folder, files = {}, input = '', preload = '' } = surroundings
  // tap would watch the process through NODE_OPTIONS, which costs more than the process itself.
  const module = `data:text/javascript,${encodeURIComponent(preload)}`
  const node = ['-u', 'NODE_OPTIONS', process.execPath, '--import', module]
  const child = spawn('env', [...node, server, ...words], { cwd: folder ?? t.testdir({ ...files }) })
  t.teardown(() => child.kill('SIGKILL'))
  child.stdin.end(input)
  let output = ''
  child.stdout.on('data', (chunk) => { output += chunk })
  const errors = text(child.stderr)
  let over = false
  const closed = once(child, 'close').finally(() => { over = true })
  return {
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    /** What it printed, once that is there. */
    async prints (form: RegExp): Promise<string[]> {
      for (;;) {
        const match = form.exec(output)
        if (match) return match
        if (over) throw new Error(`it ended: ${await errors}`)
        await Promise.race([once(child.stdout, 'data'), closed])
      }
    },
    /** How it ended: null as the code when a signal killed it. */
    async ends () {
      const [code] = await closed
      return { code: code as number | null, output, errors: await errors }
    }
  }
}

interface SpotOptions {
  sandbox?: SandboxOptions
  /** Further settings of the configuration. */
  settings?: object
}

/** A simulated Spot in this process, and a configuration file with one account in it, `real`. */
export async function spot (t: Test, { sandbox: options, settings }: SpotOptions = {}) {
  const sandbox = await startSandbox(options)
  t.teardown(() => sandbox.close())
  const { url: endpoint, accounts: [account] } = sandbox
  const accounts = { real: { ...account, endpoint } }
  const configuration = JSON.stringify({ listenAddress: '127.0.0.1:0', token: KEY, accounts, ...settings })
  return { sandbox, configuration }
}
