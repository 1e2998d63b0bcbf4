// `npm run simulate:mutants [-- --histories N] [--seed S] [--only WORD]`: puts one deliberate fault after another into
// a copy of the core, and lets the simulation look for it in at most N histories (default: 10,000). Prints
// what was found after how many; ends with 1 if a fault is not found, or if something is found where there is none.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const KEYS = 'services/idempotency/'
const STAGES = 'services/spot/stages/'
const WIRE = 'services/spot/wire/'

/** Each `from` stands in its file exactly once. */
const mutants = [
  {
    name: 'a stale answer stands in for a fresh read',
    file: `${STAGES}memory/index.ts`,
    from: 'if (call.fresh || !known || !mayStandIn(error)',
    to: 'if (!known || !mayStandIn(error)'
  },
  {
    name: 'memory answers a fresh read',
    file: `${STAGES}memory/index.ts`,
    from: 'if (known && !call.fresh && areUnchanged',
    to: 'if (known && areUnchanged'
  },
  {
    name: 'a stale answer is given though something was written since',
    file: `${STAGES}memory/index.ts`,
    from: 'if (!areUnchanged(known.stamps, await stamps.read(names))) throw error',
    to: ''
  },
  {
    name: 'stamps are not renewed before a write is answered',
    file: `${STAGES}memory/index.ts`,
    from: 'if (!await stamps.renew(names, excludeFor)) await waitForOthers()',
    to: 'void excludeFor'
  },
  {
    name: 'a write does not wait where other servers cannot see it',
    file: `${STAGES}memory/index.ts`,
    from: 'if (!await stamps.renew(names, excludeFor)) await waitForOthers()',
    to: 'await stamps.renew(names, excludeFor)'
  },
  {
    name: 'nothing is excluded from memory after an unknown outcome',
    file: `${STAGES}memory/index.ts`,
    from: 'let excludeFor = settle',
    to: 'let excludeFor = 0'
  },
  {
    name: 'time to announce a write is not taken off its deadline',
    file: `${STAGES}memory/index.ts`,
    from: 'deadline: call.deadline - timeAfter',
    to: 'deadline: call.deadline'
  },
  {
    name: 'a call under way is shared though something was written since',
    file: `${STAGES}memory/index.ts`,
    from: 'return areUnchanged(shared.stamps, current) ? [shared.reading, true] : [ask(), false]',
    to: 'return [shared.reading, true]'
  },
  {
    name: 'freshFor is ignored',
    file: `${STAGES}memory/index.ts`,
    from: ' && isYounger(freshFor)) {',
    to: ') {'
  },
  {
    name: 'a server continues with memory while the stamps cannot be read',
    file: `${STAGES}memory/stamps.ts`,
    from: 'areUsable(current) && current.length',
    to: 'current === undefined || current.every(Boolean) && current.length'
  },
  {
    name: 'the marker is derived from the key',
    file: `${KEYS}index.ts`,
    from: '&& this.#random()',
    to: '&& storageKey'
  },
  {
    name: 'each claim draws a new marker',
    file: `${KEYS}index.ts`,
    from: 'const marker = earlier ? earlier.record.marker : finderOf',
    to: 'const marker = finderOf'
  },
  {
    name: 'a copied group keeps the marker of the first',
    file: `${KEYS}marker.ts`,
    from: 'if (marker === undefined && !tags.some(isMarker)) return body',
    to: 'if (marker === undefined) return body'
  },
  {
    name: 'absent is believed before Spot has settled',
    file: `${KEYS}search-for-marker.ts`,
    from: 'triggerOf(replies, quietFor >= settle)',
    to: 'triggerOf(replies, true)'
  },
  {
    name: 'an attempt does not restart the quiet time',
    file: `${KEYS}index.ts`,
    from: "'lost', { ...record, quietFor: 0,",
    to: "'lost', { ...record, quietFor: 60_000,"
  },
  {
    name: 'quiet time stops while a key is claimed',
    file: `${KEYS}record.ts`,
    from: 'quietFor: record.quietFor + age }',
    to: 'quietFor: record.quietFor }'
  },
  {
    name: 'a claim whose answer was lost counts as somebody else\'s',
    file: `${KEYS}ledger.ts`,
    from: 'if (there?.record.claim === record.claim) return { ...claim, version: there.version }',
    to: ''
  },
  {
    name: 'it is sent though the claim is not there',
    file: `${KEYS}ledger.ts`,
    from: 'if (there?.version === earlier?.version) throw error',
    to: 'if (there?.version === earlier?.version) return { ...claim, version: undefined }'
  },
  {
    name: 'a claim is over before its attempt',
    file: `${KEYS}index.ts`,
    from: 'lease: Math.max(0, deadline - clock.now()) + LEASE_MARGIN',
    to: 'lease: 1000'
  },
  {
    name: 'the reply is not stored',
    file: `${KEYS}index.ts`,
    from: "'created', { ...record, reply, quietFor",
    to: "'created', { ...record, quietFor"
  },
  {
    name: 'nothing is searched for once a key is answered',
    file: `${KEYS}record.ts`,
    from: "(state === 'answered' && sent === 1)",
    to: "state === 'answered'"
  },
  {
    name: 'a 408 counts as a refusal',
    file: `${WIRE}outcomes.ts`,
    from: "if (status === 408) return 'failed'",
    to: ''
  },
  {
    name: 'a 5xx counts as a refusal',
    file: `${WIRE}outcomes.ts`,
    from: "if (status >= 500) return 'failed'",
    to: "if (status >= 500) return 'rejected'"
  },
  {
    name: 'a POST is sent again after it was interrupted',
    file: `${STAGES}retry.ts`,
    from: "(again === 'repeatable' && isRepeatable(call))",
    to: "(again === 'repeatable' && call.method !== 'PUT')"
  },
  {
    name: 'one call at a time goes while no limit is known',
    file: `${STAGES}limit/window.ts`,
    from: 'export const CALLS_WITHOUT_LIMIT = 10',
    to: 'export const CALLS_WITHOUT_LIMIT = 1'
  },
  {
    name: 'calls stay in the window for two minutes',
    file: `${STAGES}limit/window.ts`,
    from: 'export const SEND_COUNTS_FOR = WINDOW + CLOCK_SLACK',
    to: 'export const SEND_COUNTS_FOR = 2 * WINDOW'
  },
  {
    name: 'the limit has no slack',
    file: `${STAGES}limit/window.ts`,
    from: 'export const CLOCK_SLACK = 1000',
    to: 'export const CLOCK_SLACK = 0'
  },
  {
    name: 'calls leave the window too early',
    file: `${STAGES}limit/window.ts`,
    from: 'this.#leaves.push(now + SEND_COUNTS_FOR)',
    to: 'this.#leaves.push(now + SEND_COUNTS_FOR - 5000)'
  },
  {
    name: 'a 429 does not block',
    file: `${STAGES}limit/window.ts`,
    from: 'this.#blockedUntil = Math.max(this.#blockedUntil, now + reset + backoff)',
    to: 'void backoff'
  }
]

const root = join(import.meta.dirname, '..')
const HELP = 'npm run simulate:mutants -- [--histories N] [--seed S] [--only WORD]'

function settings () {
  try {
    const { values: { histories, seed, only, help } } = parseArgs({
      options: {
        histories: { type: 'string', default: '10000' },
        seed: { type: 'string', default: '1' },
        only: { type: 'string', default: '' },
        help: { type: 'boolean', default: false }
      }
    })
    if (help) {
      console.log(HELP)
      process.exit()
    }
    if (![histories, seed].every((value) => /^\d{1,9}$/.test(value))) {
      throw new TypeError('--histories and --seed must be whole numbers.')
    }
    return { histories, seed, only }
  } catch ({ message }) {
    console.error(`${message}\n${HELP}`)
    process.exit(2)
  }
}

const { histories, seed, only } = settings()
const copy = mkdtempSync(join(tmpdir(), 'spot-api-mutants-'))
process.on('exit', () => rmSync(copy, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130))
for (const part of ['services', 'openapi', 'test/simulation', 'package.json', 'tsconfig.json']) {
  cpSync(join(root, part), join(copy, part), { recursive: true })
}
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))

/** @returns what was found after how many histories, or undefined; and what the simulation said */
async function play () {
  const words = ['--import=tsx', 'test/simulation/main.ts', '--seeds', histories, '--seed', seed, '--no-shrink']
  const child = spawn(process.execPath, words, { cwd: copy, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk) => { said += chunk })
  const [code] = await once(child, 'close')
  if (code === 0) return { said }
  const [, after = '?', promise = 'the simulation did not run'] =
    /broke after (\d+) histories.*\n(.*?): /.exec(said) ?? []
  return { after, promise, said }
}

/** Changes a file while something is done. */
async function changed ({ file, from, to }, act) {
  const path = join(copy, file)
  const source = readFileSync(path, 'utf8')
  if (source.split(from).length !== 2) throw new Error(`${file} must have exactly one: ${from}`)
  writeFileSync(path, source.replace(from, () => to))
  try {
    return await act()
  } finally {
    writeFileSync(path, source)
  }
}

let failed = 0
const print = (name, after, promise) => console.log(`${name.padEnd(68)} ${after.padStart(8)}  ${promise}`)
print('deliberate fault', 'found in', 'promise that broke')
if (!only) {
  const { after, promise, said } = await play()
  print('none', after ?? '-', promise ?? '-')
  if (promise) {
    failed++
    console.error(said)
  }
}
for (const mutant of mutants.filter(({ name }) => name.includes(only))) {
  const { after, promise, said } = await changed(mutant, play)
  print(mutant.name, after ?? '-', promise ?? 'NOT FOUND')
  if (!promise || after === '?') failed++
  if (after === '?') console.error(said)
}
process.exit(failed > 0 ? 1 : 0)
