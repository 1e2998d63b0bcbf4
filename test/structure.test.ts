import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'

const root = join(import.meta.dirname, '..')

const folders = ['openapi', 'plugins', 'routes', 'sandbox', 'services']
const within = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, String(name)))
const files = ['app.ts', 'server.ts', ...folders.flatMap(within).filter((name) => /\.[tj]s$/.test(name))]

/** Of each file, what it imports: files of the project as paths, packages by name. */
const imports = new Map(files.map((file) => {
  const source = readFileSync(join(root, file), 'utf8')
  const names = [...source.matchAll(/^(?:import|export) [^'\n]*?'([^']+)'|^\} from '([^']+)'|import\('([^']+)'\)/gm)]
    .map(([, whole, end, dynamic]) => whole ?? end ?? dynamic ?? '')
  const sources = names.map((name) => name.startsWith('.') ? sourceOf(normalize(join(dirname(file), name))) : name)
  return [file, new Set(sources)]
}))

function sourceOf (path: string): string {
  return [path.replace(/\.js$/, '.ts'), path, path.replace(/\.js$/, '.d.ts')]
    .find((name) => statSync(join(root, name), { throwIfNoEntry: false })) ?? `${path}, which is missing`
}

const all = [...imports].flatMap(([file, names]) => [...names].map((name) => [file, name] as const))
const roomOf = (file: string) => /^services\/([^/]+)\//.exec(file)?.[1]
/** Imports that may not be. */
const but = (isWrong: (file: string, name: string) => boolean) =>
  all.filter(([file, name]) => isWrong(file, name)).map((pair) => pair.join(' imports '))

t.test('every file of services/ belongs to a room', async (t) => {
  t.strictSame(files.filter((file) => /^services\/[^/]+$/.test(file)), [])
})

t.test('every import leads to a file or a package', async (t) => {
  t.ok(all.length > 500, `${all.length} imports`)
  t.strictSame(but((_, name) => name.endsWith('is missing')), [])
})

t.test('imports run one way', async (t) => {
  const page = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')
  const [, drawn = ''] = /each imports only those below it:\n\n```\n([^`]*)```/.exec(page) ?? []
  const layers = drawn.trim().split('\n').map((line) => line.split(/ +/))
  const heightOf = (room: string) => layers.length - layers.findIndex((rooms) => rooms.includes(room))
  const rooms = new Set(files.map(roomOf).filter((room) => room !== undefined))
  t.strictSame(layers.flat().sort(), [...rooms].sort(), 'CONTRIBUTING draws every room')
  t.strictSame(but((file, name) => {
    const [from, to] = [roomOf(file), roomOf(name)]
    return from !== undefined && to !== undefined && from !== to && heightOf(to) >= heightOf(from)
  }), [])

  const among = (...places: string[]) => (file: string) => places.some((place) => file.startsWith(place))
  t.strictSame(but((file, name) =>
    among('services/')(file) && among('app.ts', 'server.ts', 'plugins/', 'routes/')(name)), [])
  t.strictSame(but((file, name) => among('services/')(file) && /^@?fastify/.test(name)), [])
  t.strictSame(but((file, name) => among('routes/')(file) && among('app.ts', 'server.ts', 'plugins/')(name)), [])
  t.strictSame(but((file, name) => among('plugins/')(file) && among('app.ts', 'server.ts', 'routes/')(name)), [])
  t.strictSame(but((file, name) => among('sandbox/')(file) && files.includes(name) && !among('sandbox/')(name)), [])
  t.strictSame(but((file, name) => among('sandbox/')(name) && !among('sandbox/', 'server.ts')(file)), [])
})

t.test('read or write is decided in one place for operations, and in one for calls to Spot', async (t) => {
  const deciding = /method\b.{0,12}[!=]== '(?:get|GET)'/
  const places = files.filter((file) => !file.startsWith('sandbox/'))
    .filter((file) => deciding.test(readFileSync(join(root, file), 'utf8')))
  t.strictSame(places.sort(), ['openapi/common-parts.js', 'openapi/operations.ts', 'services/spot/call.ts'])
})

t.test('only openapi/paths.ts writes a path of this server', async (t) => {
  const written = files.filter((file) => !file.startsWith('sandbox/') && !file.endsWith('.d.ts'))
    .filter((file) => /^(?! *(?:\/?\*|\/\/)).*\/v1\/spot/m.test(readFileSync(join(root, file), 'utf8')))
  t.strictSame(written, ['openapi/paths.ts'])
})

t.test('a file of plugins/ is one plugin, with at most one decorator of the app and one of the request', async (t) => {
  for (const file of files.filter((file) => file.startsWith('plugins/'))) {
    const source = readFileSync(join(root, file), 'utf8')
    const count = (call: RegExp) => [...source.matchAll(call)].length
    t.equal(count(/^export default fp\(/gm), 1, `${file} is a plugin`)
    for (const decorator of [/\.decorate\(/g, /\.decorateRequest\(/g]) {
      if (count(decorator) > 1) t.fail(`${file} has ${count(decorator)} of ${decorator}`)
    }
  }
})

t.test('there are no circular imports', async (t) => {
  const circles: string[] = []
  const done = new Set<string>()
  function visit (file: string, way: string[]) {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(' → '))
    if (way.includes(file) || done.has(file)) return
    for (const name of imports.get(file) ?? []) visit(name, [...way, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
  t.strictSame(circles, [])
})

t.test('every test runs in one suite', async (t) => {
  const folder = join(root, 'test/suites')
  const suites = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
  const run = suites.flatMap((suite) => [...suite.matchAll(/'\.\.\/\.\.\/(.*)\.js'/g)].map(([, name]) => `${name}.ts`))
  t.match(readFileSync(join(root, '.taprc'), 'utf8'), '- test/suites/{long,short}/*.ts')
  t.match(readFileSync(join(root, '.ci/run'), 'utf8'), 'npm run -s test:deployment ')
  t.strictSame(readdirSync(folder).sort(), ['deployment', 'long', 'short'], 'and each suite in one run')
  const tests = readdirSync(join(root, 'test')).filter((name) => name.endsWith('.test.ts'))
  t.strictSame(run.sort(), tests.sort())
  // TAP counts a failure that is "to do" as none. A test may skip where a program is missing, and says which.
  const putOff = (name: string) => /\b(?:todo|skip): true|\b(?:todo|only): |\.(?:todo|skip|only)\(/
    .test(readFileSync(join(root, 'test', name), 'utf8'))
  t.strictSame(tests.filter(putOff), [], 'none is put off')
})

t.test('processes that tests start do not load what tap would add', async (t) => {
  t.equal(execFileSync(process.execPath, ['-p', 'process.env.NODE_OPTIONS'], { encoding: 'utf8' }), 'undefined\n')
})

/** Whether a range of versions, as packages name it in `engines`, takes Node 20. */
const takesNode20 = (range: string) => range.split('||').some((one) => {
  const [, sign = '', major = ''] = /^\s*([<>=^~]*)\s*v?(\d+|\*)/.exec(one) ?? []
  return major === '*' || (sign.startsWith('>') ? Number(major) <= 20 : Number(major) === 20)
})

t.test('the packed server installs on Node 20 without a warning', async (t) => {
  const { dependencies, overrides, scripts, allowScripts } =
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  interface Locked { dev?: boolean, engines?: { node?: string }, hasInstallScript?: boolean }
  const locked = Object.entries(
    JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages as Record<string, Locked>)
  const shipped = locked.filter(([name, { dev }]) => name !== '' && !dev)
  t.ok(shipped.length > 50)
  t.strictSame(shipped.filter(([, { engines }]) => !takesNode20(engines?.node ?? '*')).map(([name]) => name), [])
  for (const [name, version] of Object.entries(overrides)) {
    t.equal(version, `$${name}`, 'overrides do not count where a package is installed')
    t.ok(dependencies[name], name)
  }
  const withScripts = locked.filter(([, { hasInstallScript }]) => hasInstallScript).map(([name]) => name)
  t.strictSame(withScripts, Object.keys(allowScripts).map((name) => `node_modules/${name}`), 'npm ci is told of each')
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) t.notOk(scripts[name], name)
})
