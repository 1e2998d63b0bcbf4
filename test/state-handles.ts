import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { openState, type State, type StateSettings } from '../services/state/index.js'
import { endWith } from './children.js'
import './server-process.js'
import { everything } from './state-contract.js'

/** Stands in passwords and values; no error may show it. */
export const HUSH = 'hush-hush'

/** Milliseconds that a busy disk may take: tests are about what SQLite says, not about how long it takes. */
const PATIENT = 600_000

/** One more handle on a state, closed when the test ends. */
export function handle (t: Test, settings: StateSettings): State {
  const state = openState(settings, undefined, PATIENT)
  t.teardown(() => state.close())
  return state
}

/** A state that is watched: `changes` has a word for each time it went down or came back. */
export function watched (t: Test, settings: StateSettings) {
  const changes: string[] = []
  const state = openState(settings, (failure) => changes.push(failure?.message ?? 'up'), PATIENT)
  t.teardown(() => state.close())
  return { state, changes }
}

interface ProcessOptions {
  environment?: object
  /** A command that starts another one. */
  under?: string[]
  uid?: number | undefined
}

/** A process that does a task of state-process.js. */
export function start (
  t: Test, settings: StateSettings, task: 'claim' | 'write' | 'hold', prefix = '',
  { environment, under = [], uid }: ProcessOptions = {}
) {
  const [command = '', ...words] = [
    ...under, process.execPath, join(import.meta.dirname, 'state-process.js'), JSON.stringify(settings), task, prefix
  ]
  const child = spawn(command, words, { env: { ...process.env, ...environment }, ...uid !== undefined && { uid } })
  endWith(t, child)
  child.stderr.pipe(process.stderr)
  child.on('exit', (code, signal) => {
    if (code !== 0 && signal !== 'SIGKILL') t.fail(`the process ended with ${code ?? signal}`)
  })
  const output = createInterface(child.stdout)
  const ready = once(output, 'line')
  const ended = once(output, 'close')
  const lines: Record<string, string[]> = {}
  /** What it said after a word. */
  const said = (word: string) => (lines[word] ??= [])
  ready.then(() => output.on('line', (line) => {
    const [word = ''] = line.split(' ', 1)
    said(word).push(line.slice(word.length + 1))
  }))
  return {
    pid: child.pid,
    said,
    /** Keys of the records that are kept, as it was told. */
    keys: () => [...said('key')],
    ready,
    ended,
    go: () => child.stdin.write('go\n'),
    kill: (signal: NodeJS.Signals = 'SIGKILL') => child.kill(signal)
  }
}

/** Those of the keys that are not there as they were written. */
export async function missing (state: State, keys: string[]): Promise<string[]> {
  const records = await everything(state)
  return keys.filter((key) => records[key]?.value !== `value of ${key}`)
}
