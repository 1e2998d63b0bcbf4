import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import t from 'tap'
import { FIRST_USE, PROBE } from '../plugins/state.js'
import { ACCESSES } from '../services/access/clients.js'
import { readConfiguration } from '../services/configuration/index.js'
import { schema } from '../services/configuration/schema.js'
import { guardrailsSchema } from '../services/guardrails/schema.js'
import { KEY_TTL, MIN_RECORD_TTL } from '../services/idempotency/record.js'
import { problems, type ProblemName } from '../services/problems/index.js'
import { STAMPS_TIMEOUT } from '../services/spot/stages/memory/shared-stamps.js'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

const notOurs = ['node_modules', 'dist', 'state', 'coverage']
/** Every file of the project, as paths from its top. */
const files = readdirSync(root, { withFileTypes: true })
  .filter(({ name }) => !name.startsWith('.') && !notOurs.includes(name))
  .flatMap((entry) => entry.isDirectory()
    ? readdirSync(join(root, entry.name), { recursive: true }).map((name) => join(entry.name, String(name)))
    : [entry.name])

/** What people read, by path. */
const pages = new Map(files.filter((path) => path.endsWith('.md')).map((path) => [path, read(path)]))
const each = <T>(pick: (text: string, path: string) => T[]) => [...pages].flatMap(([path, text]) => pick(text, path))
const matches = (text: string, pattern: RegExp) => [...text.matchAll(pattern)]

t.test('the README and those of folders and packages are short', async (t) => {
  t.ok(pages.size > 15, `${pages.size} pages`)
  for (const [path, text] of [...pages].filter(([path]) => basename(path) === 'README.md')) {
    const most = path === 'README.md' ? 250 : /^sdks\/\w+\//.test(path) ? 50 : 15
    t.ok(text.trimEnd().split('\n').length <= most, `${path}: at most ${most} lines`)
  }
})

/** Anchors of a page's headings, as GitHub makes them. */
const anchorsOf = (path: string) => matches(read(path), /^#+ (.+)$/gm).map(([, heading = '']) =>
  heading.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-'))

t.test('every link leads somewhere', async (t) => {
  const links = each((text, path) => matches(text, /\]\((?!https?:)([^)#\s]*)(?:#([\w-]+))?\)/g).map(
    ([, target = '', anchor]) => ({ path, target: target ? normalize(join(dirname(path), target)) : path, anchor })))
  t.ok(links.length > 40, `${links.length} links`)
  t.strictSame(links.filter(({ target, anchor }) =>
    !existsSync(join(root, target)) || (anchor && !anchorsOf(target).includes(anchor))), [])
})

t.test('the commands, tests and files that a page names exist', async (t) => {
  const { scripts } = JSON.parse(read('package.json'))
  const commands = each((text) => matches(text, /npm run (?:-s )?([a-z][\w:-]*)/g).map(([, name]) => name ?? ''))
  t.strictSame(commands.filter((name) => !(name in scripts)), [])
  const tests = each((text) => matches(text, /\b([\w-]+\.test\.ts)\b/g).map(([, name]) => `test/${name}`))
  const folders = files.filter((path) => path.endsWith('/README.md')).map((path) => path.split('/')[0]).join('|')
  const named = each((text) => matches(text, new RegExp(`\`((?:${folders}|docs|scripts)/[\\w./-]*)\``, 'g')))
    .flatMap(([, path = '']) => existsSync(join(root, `${path}.ts`)) ? [] : path)
  t.strictSame([...tests, ...named].filter((path) => !existsSync(join(root, path))), [])
})

const examples = each((text, path) => matches(text, /```(json5?)\n([\s\S]*?)```/g).map(
  ([, kind, json = '']) => ({ path, kind, json })))

t.test('every JSON example is valid, and configurations work as pasted', async (t) => {
  t.strictSame(examples.filter(({ kind }) => kind !== 'json'), [])
  const objects = examples.map(({ path, json }) => ({ path, object: JSON.parse(json) as object }))
  const ofConfiguration = objects.filter(({ object }) => Object.keys(object).every((key) => key in schema.properties))
  t.strictSame(new Set(ofConfiguration.map(({ path }) => path)).size, 4, 'README, configuration, access, guardrails')
  const environment = new Proxy<Record<string, string>>({}, { get: (_, name) => `the-secret-in-${String(name)}` })
  for (const { path, object } of ofConfiguration) {
    const references = matches(JSON.stringify(object), /"file":"(\w[\w./-]*)"/g).map(([, name]) => [name, `the-key-in-${name}`])
    const folder = t.testdir({ ...Object.fromEntries(references), 'config.json': JSON.stringify(object) })
    t.ok(readConfiguration(join(folder, 'config.json'), environment), path)
  }
})

t.test('a page that names a problem with a status names the right one', async (t) => {
  const named = each((text, path) => matches(text, /\b([45]\d\d) `([a-z-]+)`/g).map(
    ([, status, name]) => ({ path, status: Number(status), name: name as ProblemName })))
  t.ok(named.length > 20, `${named.length} problems`)
  t.strictSame(named.filter(({ status, name }) => problems[name]?.status !== status), [])
})

t.test('the problems that nginx answers are those of the table', async (t) => {
  const answers = matches(read('deploy/local/nginx.conf'), /return (\d+) '(\{.*\})'/g)
  t.equal(answers.length, 3)
  for (const [, status, json = ''] of answers) {
    const { type, title, status: own } = JSON.parse(json)
    const name = type.split(':').at(-1) as ProblemName
    const { status: listed, title: shown } = problems[name]
    t.strictSame([own, Number(status), title], [listed, listed, shown], name)
  }
})

t.test('the times in the pages are those of the code', async (t) => {
  const page = read('docs/reliability.md').replaceAll('\n', ' ')
  t.match(page, `no answer from Redis within ${STAMPS_TIMEOUT} ms stops using memory`)
  t.match(page, `A key lives ${KEY_TTL / 3600_000} hours`)
  t.match(page, `${MIN_RECORD_TTL / 60_000} minutes before the key expires`)
  t.match(page, `The server notices within ${PROBE / 1000} seconds`)
  t.equal(FIRST_USE, 1000)
  t.match(read('docs/operations.md'), `there a second after its start and every ${PROBE / 1000} seconds`)
})

/** The words in the first column of a table below a heading. */
function firstColumn (path: string, heading: string): string[] {
  const [, table = ''] = new RegExp(`^## ${heading}\\n[^|]*((?:^\\|.*\\n)+)`, 'm').exec(read(path)) ?? []
  return matches(table, /^\| `(\w+)`/gm).map(([, word = '']) => word)
}

t.test('the rules and rights in the pages are those of the code', async (t) => {
  t.strictSame(firstColumn('docs/guardrails.md', 'Rules'), Object.keys(guardrailsSchema.properties))
  t.strictSame(firstColumn('docs/access.md', 'Rights'), ACCESSES)
})

t.test('the lines of the log in docs/operations.md are those of the code', async (t) => {
  const code = files.filter((path) => /^(?:services|plugins)\/.*\.[tj]s$/.test(path)).map(read).join('\n')
  const [, section = ''] = /\n## Lines of the log\n([\s\S]*?)\n## /.exec(read('docs/operations.md')) ?? []
  const quoted = matches(section, /^\| (.*?) \|/gm).flatMap(([, cell = '']) => matches(cell, /`([^`]+)`/g))
  const parts = quoted.flatMap(([, line = '']) => line.split('…')).map((part) => part.trim()).filter(Boolean)
  t.ok(parts.length > 8, `${parts.length} parts of lines`)
  t.strictSame(parts.filter((part) => !code.includes(part)), [])
})

t.test('the sizes in docs/operations.md are no smaller than the last measurements', async (t) => {
  const measured = new Map(matches(read('bench/RESULTS.md'), /^\| (.+?) \| ([\d.,]+) (MB|ms|µs) \|/gm)
    .map(([, figure, value = '', unit]) => [figure, { value: Number(value.replaceAll(',', '')), unit }]))
  const rows = matches(read('docs/operations.md'), /^\| .+? \| ([\d,]+) (MB|ms|µs) \| (.+) \|$/gm)
  t.ok(rows.length > 5, `${rows.length} sizes`)
  for (const [, most = '', unit, figure = ''] of rows) {
    t.equal(measured.get(figure)?.unit, unit, figure)
    t.ok((measured.get(figure)?.value ?? Infinity) <= Number(most.replaceAll(',', '')), `${figure}: at most ${most}`)
  }
})

/** Words that STYLE replaced, in all that people read outside the code. */
const old = /\b(?:can not|as it came|without a word|whom|told|heard|takes? down)\b/gi

t.test('no page and no deployment file uses words that plainer ones have replaced', async (t) => {
  const texts = files.filter((path) =>
    /\.md$|^deploy\/(?:prometheus|grafana|chart|local)\/.*\.(?:ya?ml|json|txt|tpl|conf|js)$/.test(path))
  t.ok(texts.length > 30, `${texts.length} files`)
  t.strictSame(texts.flatMap((path) => matches(read(path), old).map(([word]) => `${path}: ${word}`)), [])
})
