#!/usr/bin/env node
// `npm run sdks:matrix [-- CLIENTS]` writes sdks/MATRIX.md. See --help.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makePackage, moduleOf } from '../sdks/languages.js'
import { clients } from '../sdks/matrix/clients.js'
import { prove } from '../sdks/proof.js'
import { has } from '../sdks/run.js'
import { startAlone } from '../sdks/server.js'

const root = join(import.meta.dirname, '..')
const document = join(root, 'openapi/spot-api.json')
const page = join(root, 'sdks/MATRIX.md')
const HELP = `What comes of the document with each generator: tried, and written to sdks/MATRIX.md

Usage
  npm run sdks:matrix [-- CLIENT …] [--minutes 20]

  CLIENT     ${Object.keys(clients).join(', ')}, or a package's: typescript, python, go, java. Default: all.
             Others keep their line.
  --minutes  for each client, then it is ended. Default: 20
`
const STEPS = ['generates', 'compiles', 'runs CRUD', 'null survives']
const PACKAGES = {
  typescript: '@hey-api/openapi-ts',
  python: 'openapi-python-client',
  go: 'oapi-codegen',
  java: 'openapi-generator java'
}
const GROUP = {
  name: 'of-the-matrix',
  description: 'is cleared',
  region: 'us-east-1',
  strategy: { risk: 100 },
  capacity: { minimum: 0, target: 0, maximum: 1, unit: 'instance' },
  compute: {
    product: 'Linux/UNIX',
    instanceTypes: { ondemand: 't3.micro', spot: ['t3.micro'] },
    subnetIds: ['subnet-0f1e2d3c'],
    launchSpecification: { imageId: 'ami-0a1b2c3d' }
  }
}

/** The steps of a package: its own program is the proof. */
const stepsOfPackage = (language) => {
  let output
  const proven = async (isNewer) => {
    const server = await startAlone({ seed: false, rateLimit: Infinity, speed: 20 })
    return prove(language, output, server, isNewer).finally(server.end)
  }
  return [
    async () => { await moduleOf(language) },
    async () => { output = await makePackage(language) },
    () => proven(false),
    () => proven(true)
  ]
}

const stepsOfClient = (name) => {
  const { tools, generate, compile, crud } = clients[name]
  const output = join(root, 'dist/sdks/matrix', name.replace(/\W/g, '-'))
  let calls
  return [
    async () => {
      const missing = tools.filter((tool) => !has(tool))
      if (missing.length > 0) throw new Error(`there is no ${missing.join(' and no ')}`)
      rmSync(output, { recursive: true, force: true })
      mkdirSync(output, { recursive: true })
      await generate(document, output)
    },
    () => compile(output),
    async () => {
      const server = await startAlone({ seed: false, rateLimit: Infinity })
      try {
        await crud(output, {
          SPOT_API_URL: server.url,
          SPOT_API_TOKEN: server.token,
          SPOT_API_ACCOUNT: server.account,
          GROUP: JSON.stringify(GROUP)
        })
      } finally {
        calls = await server.transcript()
        await server.end()
      }
    },
    async () => {
      const sent = JSON.stringify(calls.find(({ method }) => method === 'PUT')?.body.group)
      if (sent !== '{"description":null}') throw new Error(`Spot got ${sent ?? 'no update'}`)
    }
  ]
}

/** In a process of its own: says what came of each step, one line of JSON each. */
async function tryOne (name) {
  for (const step of name in clients ? stepsOfClient(name) : stepsOfPackage(name)) {
    const failure = await step().then(() => undefined, ({ message }) => message)
    process.stdout.write(JSON.stringify({ failure }) + '\n')
    if (failure !== undefined) return
  }
}

/** The line of a failure that says most, short enough for a table. */
function inBrief (failure) {
  const [first, ...others] = failure.split('\n')
  const line = others.find((one) => /error|panic|undefined|cannot|not /i.test(one)) ?? first
  return line.replaceAll(root, '').replace(/[|`]/g, ' ').trim().slice(0, 120)
}

/** @returns the cells of a client's line */
async function cellsOf (name, minutes) {
  const child = spawn(process.execPath, [...process.execArgv, import.meta.filename, '--one', name],
    { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  const end = () => { try { process.kill(-child.pid, 'SIGKILL') } catch { /* it has ended */ } }
  let isLate = false
  const timer = setTimeout(() => { isLate = true; end() }, minutes * 60_000)
  process.once('exit', end)
  let said = ''
  child.stdout.on('data', (chunk) => { said += chunk })
  await once(child, 'close')
  clearTimeout(timer)
  process.off('exit', end)
  const failures = said.split('\n').filter(Boolean).map((line) => JSON.parse(line).failure)
  for (const failure of failures.filter(Boolean)) process.stderr.write(`${name}: ${failure.slice(0, 4000)}\n`)
  const cells = failures.map((failure) => failure === undefined ? 'yes' : `no: ${inBrief(failure)}`)
  if (isLate) cells.push(`no: not within ${minutes} minutes`)
  return STEPS.map((_, at) => cells[at] ?? '–')
}

/** Lines of the table that is there, by client. */
function written () {
  try {
    return Object.fromEntries(readFileSync(page, 'utf8').split('\n').filter((line) => line.startsWith('| ')).slice(1)
      .map((line) => [line.slice(2).split(' |')[0], line]))
  } catch {
    return {}
  }
}

const pageOf = (version, lines) => `# What comes of the document, by generator

Written by \`npm run sdks:matrix\`, by what it saw with the document of version ${version}. Settings:
\`sdks/matrix/clients.js\`.

- **runs CRUD**: a program creates, reads, updates, lists and deletes a group.
- **null survives**: an update of one field to null reaches Spot as just that. For our packages: a whole group that is
  read from a newer server and sent back is the same.

| client | ${STEPS.join(' | ')} |
|---|${STEPS.map(() => '---|').join('')}
${lines.join('\n')}
`

const { values, positionals } = parseArgs({
  options: { help: { type: 'boolean' }, minutes: { type: 'string', default: '20' }, one: { type: 'string' } },
  allowPositionals: true
})
const all = [...Object.keys(PACKAGES), ...Object.keys(clients)]
const unknown = positionals.filter((name) => !all.includes(name))
if (values.help) process.stdout.write(HELP)
else if (values.one) {
  await tryOne(values.one)
  process.exit()
} else if (unknown.length > 0) {
  process.stderr.write(`There is no ${unknown.join(', ')}. Clients: ${all.join(', ')}.\n`)
  process.exitCode = 2
} else {
  const { info: { version } } = JSON.parse(readFileSync(document, 'utf8'))
  for (const name of positionals.length > 0 ? positionals : all) {
    const cells = await cellsOf(name, Number(values.minutes))
    const label = PACKAGES[name] ? `${PACKAGES[name]} (our package)` : name
    const lines = { ...written(), [label]: `| ${[label, ...cells].join(' | ')} |` }
    process.stdout.write(lines[label] + '\n')
    const labels = all.map((one) => PACKAGES[one] ? `${PACKAGES[one]} (our package)` : one)
    writeFileSync(page, pageOf(version, labels.map((one) => lines[one]).filter(Boolean)))
  }
}
