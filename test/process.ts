import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { startSandbox, type SandboxOptions } from '../sandbox/index.js'
import { endWith } from './children.js'
import { KEY } from './keys.js'
import { startServer } from './server-process.js'
import { testDirectory } from './test-directory.js'

interface Surroundings {
  /** Where it runs; default: a folder of the test alone, with these files in it. */
  folder?: string | undefined
  files?: object
  /** What it reads on its standard input. */
  input?: string | Buffer
  /** Whether a test may have it run JavaScript, by `does`, and decides when a drain of `DRAIN` seconds is over. */
  obeys?: boolean
}

/** Seconds of a drain that is over once the server `does(DRAINED)`, and not before. */
export const DRAIN = 600
export const DRAINED = 'endDrain()'

/** Runs in a server that obeys, before its own code. */
const OBEY = `
  import { syncBuiltinESMExports } from 'node:module'
  import timers from 'node:timers/promises'
  const sleep = timers.setTimeout
  const drained = new Promise((resolve) => { globalThis.endDrain = resolve })
  timers.setTimeout = (wait, ...rest) => wait === ${DRAIN * 1000} ? drained : sleep(wait, ...rest)
  syncBuiltinESMExports()
  process.stdin.setEncoding('utf8').on('data', (javascript) => { (0, eval)(javascript) })
`

/** What a process prints, and how it ends: with the test at the latest. */
export function watch (t: Test, child: ChildProcessByStdio<Writable | null, Readable, Readable>) {
  endWith(t, child)
  let output = ''
  child.stdout.on('data', (chunk) => { output += chunk })
  const errors = text(child.stderr)
  let over = false
  const closed = once(child, 'close').finally(() => { over = true })
  return {
    output: () => output,
    /** What it printed, once that is there for so many times: the last of them. */
    async prints (form: RegExp, times = 1): Promise<string[]> {
      for (;;) {
        const match = [...output.matchAll(new RegExp(form, `${form.flags}g`))][times - 1]
        if (match) return match
        if (over) throw new Error(`it ended: ${await errors}`)
        await Promise.race([once(child.stdout, 'data'), closed])
      }
    },
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    /** How it ended: null as the code when a signal killed it. */
    async ends () {
      const [code] = await closed
      return { code: code as number | null, output, errors: await errors }
    }
  }
}

/** spot-api as a process of its own. */
export function run (t: Test, words: string[], surroundings: Surroundings = {}) {
  const { folder, files = {}, input = '', obeys = false } = surroundings
  const before = obeys ? ['--import', `data:text/javascript,${encodeURIComponent(OBEY)}`] : []
  const cwd = folder ?? testDirectory(t, { ...files })
  const child = startServer(words, { cwd }, before)
  const watched = watch(t, child)
  if (!obeys) child.stdin.end(input)
  let orders = 0
  return {
    ...watched,
    /** Has it run JavaScript. Whatever reaches it after this resolves comes after that. */
    async does (javascript: string) {
      const order = `order ${++orders};`
      child.stdin.write(`process.stdout.write(${JSON.stringify(`${order}\n`)}); ${javascript};\n`)
      await watched.prints(new RegExp(order))
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
