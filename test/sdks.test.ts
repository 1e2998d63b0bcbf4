import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { document } from '../openapi/document.js'
import { exampleOf, languages, makePackage } from '../sdks/languages.js'
import { prove } from '../sdks/proof.js'
import { STEPS } from '../sdks/steps.js'
import { ACCOUNT, KEY, start, TOKEN } from './helper.js'

/* The TypeScript package, made and used. Those of other languages need their tools: `npm run sdks:test`. */

const root = join(import.meta.dirname, '..')
/** Made while other tests of the suite run. */
const making: Promise<string> = makePackage('typescript')
making.catch(() => {}) // the tests that wait for it fail

t.test('the package is ready to be published', async (t) => {
  const output = await making
  const { name, version, license, files, exports, dependencies } =
    JSON.parse(readFileSync(join(output, 'package.json'), 'utf8'))
  t.match({ name, version, license }, {
    name: 'spot-api-client', version: document.info.version, license: 'AGPL-3.0-only'
  })
  t.match(dependencies, { bcryptjs: /^\d/ })
  for (const path of ['LICENSE', files[0], ...Object.values<string>(exports['.'])]) {
    t.ok(existsSync(join(output, path)), path)
  }
  const readme = readFileSync(join(output, 'README.md'), 'utf8')
  t.match(readme, `spot-api) ${version}`)
  for (const call of ['connect', 'createElastigroup', 'waitUntilReady', 'getElastigroup', 'updateElastigroup']) {
    t.match(readme, new RegExp(`= await ${call}\\(`), call)
  }
  t.notMatch(readme, '{{')
  const page = readFileSync(join(root, 'docs/clients.md'), 'utf8')
  t.ok(page.includes(exampleOf('typescript')), 'the page has the five calls')
})

t.test('its program does all that it shows', async (t) => {
  const output = await making
  const { url, sandbox } = await start(t, { sandbox: { seed: false, rateLimit: Infinity, speed: 20 } })
  const server = { url, account: ACCOUNT, key: KEY, token: TOKEN, transcript: async () => sandbox.transcript }
  for (const isNewer of [false, true]) {
    const printed: string = await prove('typescript', output, server, isNewer)
    t.equal(printed.trim().split('\n').length, Object.keys(STEPS).length, isNewer ? 'newer server' : 'server')
  }
})

/** Status, body, headers. A status of 0 cuts the connection, and CUT in place of a body does so in its midst. */
type Answer = readonly [number, unknown, Record<string, string>?]

const CUT = Symbol('cut')

/** What a server answers, one after the other, and the requests that it got. */
async function scripted (t: Test, answers: readonly Answer[]) {
  const requests: Pick<IncomingMessage, 'method' | 'headers'>[] = []
  const server = createServer(({ method, headers, socket }, response) => {
    requests.push({ method, headers })
    const [status, body, more] = answers[requests.length - 1] ?? [500, {}]
    if (status === 0) return socket.destroy()
    response.writeHead(status, { 'content-type': 'application/json', ...more })
    if (body === CUT) response.write('{"id":', () => socket.destroy())
    else response.end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => server.close())
  return { requests, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const problem = {
  type: 'urn:problem-type:spot-api:not-ready', title: 'The server is shutting down', status: 503, detail: 'It is.'
}
const now = { 'retry-after': '0' }
const path = { account: 'demo', elastigroup: 'sig-1' }

interface Repeats { what: string, call: string, answers: Answer[], sent: number, status?: number }

/** What fails for now, and how often it is sent. */
const repeats: Repeats[] = [
  { what: 'a read', call: 'getElastigroup', answers: [[503, problem, now], [429, problem, now], [200, {}]], sent: 3 },
  { what: 'a create', call: 'createElastigroup', answers: [[0, {}], [504, problem, now], [201, {}]], sent: 3 },
  { what: 'a create, cut', call: 'createElastigroup', answers: [[201, CUT], [201, {}]], sent: 2 },
  { what: 'a create whose key is in use', call: 'createRoll', answers: [[409, problem, now], [201, {}]], sent: 2 },
  { what: 'a create that is in conflict', call: 'createRoll', answers: [[409, problem]], sent: 1, status: 409 },
  { what: 'a create that is refused', call: 'createElastigroup', answers: [[400, problem]], sent: 1, status: 400 },
  { what: 'an update', call: 'updateElastigroup', answers: [[503, problem, now]], sent: 1, status: 503 },
  { what: 'an action', call: 'detachInstances', answers: [[503, problem, now]], sent: 1, status: 503 },
  { what: 'a delete', call: 'deleteElastigroup', answers: [[503, problem, now]], sent: 1, status: 503 },
  { what: 'too late', call: 'getElastigroup', answers: [[503, problem, { 'retry-after': '9' }]], sent: 1, status: 503 },
  { what: 'what is no problem', call: 'getElastigroup', answers: [[404, 'no such host']], sent: 1, status: 404 }
]

t.test('reads and creates are repeated while they fail for now, and nothing else is', async (t) => {
  const spot = await import(join(await making, 'lib/spot-api.js'))
  for (const { what, call, answers, sent, status } of repeats) {
    const { requests, url } = await scripted(t, answers)
    const client = await spot.connect({ url, token: TOKEN, patience: 5 })
    const body = call.startsWith('get') ? undefined : {}
    const error = await spot[call]({ client, path, body }).then(() => undefined, (error: unknown) => error)
    t.equal(requests.length, sent, what)
    const keys = requests.map(({ headers }) => headers['idempotency-key'])
    t.equal(new Set(keys).size, 1, `${what}: one key`)
    t.equal(typeof keys[0], call.startsWith('create') ? 'string' : 'undefined', what)
    t.equal(error instanceof spot.SpotApiError, status !== undefined, what)
    if (status) t.match(error, { response: { status }, problem: { title: /./, detail: /./ } }, what)
  }
})

t.test('who aborts does not wait for Retry-After', async (t) => {
  const { connect, getElastigroup, waitUntilReady } = await import(join(await making, 'lib/spot-api.js'))
  const late = { 'retry-after': '1000' }
  const { url } = await scripted(t, [[503, problem, late], [200, { ready: false, reasons: [] }, late]])
  for (const call of [getElastigroup, waitUntilReady]) {
    const abort = new AbortController()
    const { signal } = abort
    const client = await connect({
      url,
      token: TOKEN,
      patience: 2000,
      async fetch (request: Request) {
        const answer = await fetch(request)
        setImmediate(() => abort.abort())
        return answer
      }
    })
    const result = call === getElastigroup
      ? getElastigroup({ client, path, signal })
      : waitUntilReady(() => getElastigroup({ client, path }), { signal })
    await t.rejects(result, { name: 'AbortError' })
  }
})

t.test('an address without http:// is refused at once', async (t) => {
  const { connect } = await import(join(await making, 'lib/spot-api.js'))
  for (const url of ['localhost:8080', '', '/v1/spot', 'spot.example.org']) {
    await t.rejects(connect({ url, token: TOKEN }), { name: 'TypeError', message: /https:\/\// }, url)
  }
})

t.test('each package knows the creates that take a key', (t) => {
  const takesKey = (operation: object) => JSON.stringify(operation).includes('#/components/parameters/IdempotencyKey')
  const creates = Object.entries(document.paths).filter(([, { post }]) => post && takesKey(post)).map(([path]) => path)
  const posts = Object.entries(document.paths).filter(([, { post }]) => post).map(([path]) => path)
  for (const language of languages) {
    const folder = join(root, 'sdks', language)
    const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.\w+$/.test(name))
      .map((name) => readFileSync(join(folder, name), 'utf8'))
    const [, nouns] = sources.map((text) => /creates.*\/\(([a-z|]+)\)/i.exec(text)).find((match) => match !== null) ?? []
    t.same(posts.filter((path) => new RegExp(`/(${nouns})$`).test(path)), creates, language)
  }
  t.end()
})

t.test('what lacks its tools is skipped by sdks:test, and an error of sdks', async (t) => {
  const sdks = (...words: string[]) => spawnSync(
    process.execPath, [join(root, 'scripts/sdks.js'), ...words], { env: { PATH: '' }, encoding: 'utf8' })
  const others = languages.filter((language) => language !== 'typescript')
  t.ok(others.length > 0)
  for (const [words, status] of [[['--test', ...others], 0], [others, 1]] as const) {
    const answer = sdks(...words)
    t.equal(answer.status, status)
    for (const language of others) t.match(answer.stdout, new RegExp(`^skipped: ${language}: there is no \\w+`, 'm'))
  }
  t.match(sdks('cobol'), { status: 2, stderr: /There is no cobol\. Languages: .*typescript/ })
  t.match(sdks('--help'), { status: 0, stdout: /npm run sdks:test/ })
})
