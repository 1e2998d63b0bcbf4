import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { document } from '../openapi/document.js'
import { TOKEN } from './helper.js'
import { buildImage, pairs, sentToBuild, type Image } from './image.js'
import { spot, watch } from './process.js'

// The steps of the Dockerfile, carried out in empty directories. `npm ci` takes what is installed in the checkout,
// pruned as the lock file says, and the build takes what is compiled in the checkout, and stamps it;
// IMAGE=full fetches everything anew and builds it as an engine would.
const full = process.env.IMAGE === 'full'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (file: string) => JSON.parse(readFileSync(file, 'utf8'))
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')
const GITHASH = '0123456789abcdef0123456789abcdef01234567'

type Packages = Record<string, { dev?: boolean }>
const { packages }: { packages: Packages } = read(join(root, 'package-lock.json'))
const { examples } = document.components as unknown as { examples: Record<string, { value: object }> }

/** In the log, or in what the sandbox prints. */
const LISTENS = /(http:\/\/127\.0\.0\.1:(\d+))(?:\/v1\/spot\/docs|")/

/** A cheaper way to the same. Packages for other machines are in the lock file, but not installed. */
function instead (command: string, directory: string): string | undefined {
  if (full) return command
  if (!command.startsWith('npm ci')) {
    const filter = (source: string) => source !== join(root, 'dist/sdks') // made beside it, never in an image
    cpSync(join(root, 'dist'), join(directory, 'dist'), { recursive: true, preserveTimestamps: true, filter })
    return command.replace('npm run build', 'npm run build -- --if-stale')
  }
  if (!command.includes('--omit=dev')) symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
  else {
    for (const path of Object.keys(packages).filter((path) => path && !packages[path]?.dev)) {
      const filter = (source: string) => source !== join(root, path, 'node_modules')
      if (existsSync(join(root, path))) cpSync(join(root, path), join(directory, path), { recursive: true, filter })
    }
  }
  return undefined
}

/** What a build is sent: the checkout without what `.dockerignore` refuses. */
function contextIn (folder: string): string {
  const context = join(folder, 'context')
  mkdirSync(context)
  for (const name of sentToBuild(join(root, '.dockerignore'))) {
    cpSync(join(root, name), join(context, name), { recursive: true, preserveTimestamps: true })
  }
  return context
}

/** The image's user, where the test may become somebody else. */
const userOf = ({ settings: { USER = '' } }: Image) => {
  const [uid, gid] = USER.split(':').map(Number)
  return process.getuid?.() === 0 && uid && gid ? { uid, gid } : {}
}

/** Starts what the image names in its exec form, with this machine's node and no environment but the image's. */
function start (
  image: Image, instruction: 'ENTRYPOINT' | 'HEALTHCHECK', { words = [] as string[], environment = {} } = {}
) {
  const [program, ...named] = JSON.parse(/\[.*\]$/.exec(image.settings[instruction] ?? '')?.[0] ?? '[]') as string[]
  if (program !== '/nodejs/bin/node') throw new Error(`there is no ${program} in ${image.base}`)
  return spawn(process.execPath, [...named, ...words], {
    cwd: join(image.root, image.workdir),
    env: { ...image.environment, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...userOf(image)
  })
}

/** The server of the image, once it listens. */
async function serve (t: Test, image: Image, words: string[] = []) {
  const server = watch(t, start(image, 'ENTRYPOINT', { words }))
  const [, url = '', port = ''] = await server.prints(LISTENS)
  return {
    url,
    port,
    async end () {
      server.kill('SIGTERM')
      const { code, errors } = await server.ends()
      return { code, errors }
    }
  }
}

async function healthCheck (image: Image, port: string): Promise<number> {
  const url = (image.environment.HEALTH_URL ?? '').replace(':8080', `:${port}`)
  const [code] = await once(start(image, 'HEALTHCHECK', { environment: { HEALTH_URL: url } }), 'exit')
  return code
}

/** Makes a directory and what is in it read-only, save the state. */
function readOnly (t: Test, directory: string) {
  const inside = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'state')
    .map(({ parentPath, name }) => join(parentPath, name))
  const directories = [directory, ...inside]
  for (const each of directories) chmodSync(each, 0o555)
  t.teardown(() => { for (const each of directories) chmodSync(each, 0o755) })
}

function build (t: Test): Image {
  // Not in the checkout, whose node_modules would be found from there.
  const folder = mkdtempSync(join(tmpdir(), 'spot-api-image-'))
  chmodSync(folder, 0o755)
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return buildImage(join(root, 'Dockerfile'), {
    context: contextIn(folder), folder, arguments: { GITHASH }, instead
  })
}

t.test('the image of the Dockerfile', { ...full && { timeout: 600_000 } }, async (t) => {
  const image = build(t)
  const app = join(image.root, image.workdir)

  await t.test('holds what the server needs, and nothing else', async (t) => {
    t.strictSame(readdirSync(app), ['LICENSE', 'dist', 'node_modules', 'openapi', 'package.json', 'services', 'state'])
    t.strictSame(readdirSync(join(app, 'services'), { recursive: true }).sort(), [
      'state', 'state/sqlite-file.js', 'state/sqlite-worker.js'
    ], 'what a bundle cannot hold')
    t.strictSame(readdirSync(join(app, 'openapi')), ['spot-api.json'])
    const files = readdirSync(app, { recursive: true, encoding: 'utf8' })
    t.strictSame(files.filter((file) => /\.[cm]?ts$|\.map$/.test(file)), [], 'no source')
    t.strictSame(files.filter((file) => /^dist\/(test|bench)/.test(file)), [], 'no test')
    const developed = Object.keys(packages).filter((path) => packages[path]?.dev)
    t.ok(files.includes('node_modules/fastify'))
    t.strictSame(developed.filter((path) => files.includes(path)), [], 'no development dependency')
  })

  await t.test('begins with bases that nobody can exchange', async (t) => {
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base as string)
    t.equal(bases.length, 3)
    for (const base of bases) t.match(base, /^\S+:[\w.-]+@sha256:[\da-f]{64}$/)
    t.equal(bases[0], bases[1], 'what is native fits')
    t.match(readFileSync(join(root, '.github/dependabot.yml'), 'utf8'), /package-ecosystem: docker/)
  })

  await t.test('runs as a user with a number, who owns nothing but the state', async (t) => {
    t.match(image.settings.USER, /^[1-9]\d*:[1-9]\d*$/)
    const own = process.getuid?.()
    const { uid = own } = userOf(image)
    t.match(statSync(join(app, 'state')), { uid, mode: 0o40700 })
    t.equal(statSync(app).uid, own)
  })

  await t.test('has labels that say what it is', async (t) => {
    const { version, license, repository } = read(join(root, 'package.json'))
    const name = 'org.opencontainers.image'
    t.match(pairs(image.settings.LABEL ?? ''), {
      [`${name}.version`]: version,
      [`${name}.licenses`]: license,
      [`${name}.source`]: repository.url.replace(/^git\+|\.git$/g, ''),
      [`${name}.revision`]: GITHASH
    })
    t.match(read(join(app, 'dist/build.json')), { githash: GITHASH })
  })

  await t.test('runs the sandbox with the command at the top of the Dockerfile', async (t) => {
    const [, address = ''] = /docker run .* spot-api --listen (\S+)$/m.exec(dockerfile) ?? []
    t.equal(address, '0.0.0.0:8080')
    const { url, port, end } = await serve(t, image, ['--listen', '127.0.0.1:0'])
    t.equal(await (await fetch(`${url}/v1/spot/ping`)).text(), 'pong')
    t.equal(await healthCheck(image, port), 0)
    t.strictSame(await end(), { code: 0, errors: '' })
    t.equal(await healthCheck(image, port), 1, 'what does not run is not healthy')
  })

  await t.test('serves what is configured, writes to nothing but its state, and ends when told to', async (t) => {
    const { configuration } = await spot(t, { settings: { drainSeconds: 0 } })
    mkdirSync(join(app, 'config'))
    writeFileSync(join(app, 'config/config.json'), configuration)
    readOnly(t, app)
    const { url, end } = await serve(t, image)
    t.equal((await fetch(`${url}/v1/spot/docs`)).status, 200)
    // With a key: what is native is needed, to check the token and to keep the record.
    const headers = { 'x-auth-token': TOKEN, 'content-type': 'application/json', 'idempotency-key': '"from-an-image"' }
    const body = JSON.stringify(examples.ElastigroupCreateExample?.value)
    t.equal((await fetch(`${url}/v1/spot/real/elastigroups`, { method: 'POST', headers, body })).status, 201)
    t.ok(existsSync(join(app, 'state/state.sqlite')))
    t.strictSame(await end(), { code: 0, errors: '' })
  })
})
