import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { outcomes } from '../services/spot/wire/outcomes.js'
import { start } from './helper.js'
import { testDirectory } from './test-directory.js'

const path = (file: string) => fileURLToPath(new URL(`../${file}`, import.meta.url))
const read = (file: string) => readFileSync(path(file), 'utf8')

const DASHBOARD = 'deploy/grafana/spot-api.json'
const ALERTS = 'deploy/prometheus/alerts.yaml'
const ALERT_TESTS = 'deploy/prometheus/alerts.test.yaml'
const RUNBOOK = 'https://github.com/YaleSpinup/spot-api/blob/master/docs/operations.md'

interface Alert {
  alert: string
  expr: string
  labels: { severity: string }
  annotations: { summary: string, description: string, runbook_url: string }
}
interface Panel {
  type: string
  title: string
  description?: string
  datasource?: { uid: string }
  gridPos: { x: number, y: number, w: number, h: number }
  fieldConfig: { defaults: { unit: string } }
  targets?: { expr: string, legendFormat: string }[]
}
interface AlertTest {
  promql_expr_test?: { expr: string, exp_samples?: unknown[] }[]
}

const dashboard = JSON.parse(read(DASHBOARD))
const panels: Panel[] = dashboard.panels.filter(({ type }: Panel) => type !== 'row')
const alerts = (parse(read(ALERTS)).groups as { rules: Alert[] }[]).flatMap(({ rules }) => rules)

/** What Prometheus adds to what it reads. */
const TARGET = ['job', 'instance']
const ITS_OWN: Series[] = [{ name: 'up', labels: {} }]

interface Series { name: string, labels: Record<string, string> }

/** Every series of a gateway that has had some traffic. */
async function seriesOf (t: Test): Promise<{ text: string, series: Series[] }> {
  const { request, sandbox } = await start(t, { sandbox: { rateLimit: 2 } })
  for (const path of ['', '', '', '/sig-none']) await request('GET', `/v1/spot/demo/elastigroups${path}`)
  for (const status of [401, 403]) {
    sandbox.faults.inject({ status })
    await request('GET', '/v1/spot/demo/instances')
  }
  const { text } = await request('GET', '/v1/spot/metrics')
  const lines = text.split('\n').filter((line) => line && !line.startsWith('#'))
  return {
    text,
    series: lines.map((line) => ({
      name: /^[\w:]+/.exec(line)?.[0] ?? '',
      labels: Object.fromEntries([...line.matchAll(/(\w+)="((?:\\.|[^"\\])*)"/g)].map(([, label, word]) => [label, word]))
    }))
  }
}

/** Words that are no metric: functions and operators. */
const words = new Set(`sum rate increase max min by histogram_quantile topk bottomk sort changes count absent or and le
  on`.split(/\s+/))

/** What of an expression there is not: metrics, labels, and words of those labels. */
function faultsOf (expr: string, legend: string, series: Series[]): string[] {
  const faults: string[] = []
  const all = [...series, ...ITS_OWN]
  const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(/,\s*/))
  const selectors = [...expr.matchAll(/([a-z_]\w*)\{([^}]*)\}/g)]
  const labels = new Set(TARGET)
  for (const [, name = '', matchers = ''] of selectors) {
    const found = all.filter((one) => one.name === name)
    if (found.length === 0) faults.push(`no metric ${name}`)
    for (const { labels: own } of found) for (const label of Object.keys(own)) labels.add(label)
    for (const [, label = '', operator = '', text = ''] of matchers.matchAll(/(\w+)\s*(=~|!=|!~|=)\s*"([^"]*)"/g)) {
      if (TARGET.includes(label)) continue
      const known = new Set(found.map(({ labels }) => labels[label]))
      for (const word of operator.endsWith('~') ? text.split('|') : [text]) {
        if (!known.has(word)) faults.push(`${name} has no ${label}="${word}"`)
      }
    }
  }
  for (const label of grouped) if (!labels.has(label)) faults.push(`no label ${label} to group by`)
  const shown = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label)
  for (const label of shown) {
    if (!labels.has(label)) faults.push(`no label ${label} to show`)
    if (expr.includes(' by (') && !grouped.includes(label)) faults.push(`${label} is summed up`)
  }
  const bare = expr.replace(/\{[^}]*\}|\[[^\]]*\]|\bby \([^)]*\)/g, ' ').match(/[a-z_]\w*/g) ?? []
  const named = new Set(selectors.map(([, name]) => name))
  for (const word of bare) if (!words.has(word) && !named.has(word)) faults.push(`what is ${word}?`)
  return faults
}

const { text, series } = await seriesOf(t)

t.test('every metric and label in the dashboard and the alerts exists', async (t) => {
  for (const { title, targets = [] } of panels) {
    t.ok(targets.length > 0, title)
    for (const { expr, legendFormat } of targets) t.strictSame(faultsOf(expr, legendFormat, series), [], title)
  }
  for (const { alert, expr, annotations } of alerts) {
    const legend = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label]) => `{{${label}}}`)
    t.strictSame(faultsOf(expr, legend.join(), series), [], alert)
  }
  const named = [...read('docs/operations.md'), ...read('docs/reliability.md')].join('')
    .matchAll(/`((?:http|spot_api)_\w+)(\{.*?\})?`/g)
  for (const [, name = '', labels = ''] of named) {
    if (!text.includes(`# TYPE ${name} `)) t.fail(`${name} is in the pages, but is no metric`)
    if (labels) t.strictSame(faultsOf(name + labels, '', series), [], name + labels)
  }
  const wrong = 'sum by (nobody) (rate(http_requests_total{status_class="9xx"}[5m])) / nothing{} + other'
  t.equal(faultsOf(wrong, '{{route}}', series).length, 5, 'and what is not there is found')
})

t.test('every metric of its own is in the dashboard', async (t) => {
  const own = [...text.matchAll(/^# TYPE ((?:http|spot_api)_\w+)/gm)].map(([, name = '']) => name)
  t.ok(own.length > 15)
  t.strictSame(own.filter((name) => !read(DASHBOARD).includes(name)), [])
})

t.test('alerts and dashboard count as unknown the outcomes that callers get as outcome-unknown', async (t) => {
  const unknown = Object.entries(outcomes).flatMap(([name, { write }]) => write === 'outcome-unknown' ? [name] : [])
  const exprs = [...alerts, ...panels.flatMap(({ targets = [] }) => targets)].map(({ expr }) => expr)
  const asked = exprs.flatMap((expr) => /calls="writes",\s*outcome=~"(.*?)"/.exec(expr)?.[1]?.split('|') ?? [])
  t.strictSame([...new Set(asked)].sort(), unknown.sort())
})

t.test('every alert has a severity and a link to read on', async (t) => {
  const page = read('docs/operations.md')
  const runbooks = [...page.matchAll(/^### (.+)$/gm)].map(([, heading]) => heading)
  t.strictSame(runbooks.toSorted(), alerts.map(({ alert }) => alert).toSorted(), 'a heading for each, and no other')
  for (const { alert, labels, annotations } of alerts) {
    t.match(labels.severity, /^(?:critical|warning)$/, alert)
    t.match(annotations, { summary: /^.{10,100}$/, description: /^.{20,120}$/ }, alert)
    t.equal(annotations.runbook_url, `${RUNBOOK}#${alert.toLowerCase()}`)
  }
  const headings = [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading.toLowerCase().replaceAll(' ', '-'))
  for (const [, anchor] of page.matchAll(/\]\(#([\w-]+)\)/g)) t.ok(headings.includes(anchor ?? ''), `#${anchor}`)
  for (const [name] of [...page, ...panels.map(({ description }) => description)].join('').matchAll(/SpotApi\w+/g)) {
    t.ok(alerts.some(({ alert }) => alert === name), name)
  }
})

t.test('every alert has a test where it fires and one where it does not', async (t) => {
  const tests = (parse(read(ALERT_TESTS)).tests as AlertTest[]).flatMap(({ promql_expr_test: tests = [] }) => tests)
  for (const { alert } of alerts) {
    const own = tests.filter(({ expr }) => expr.includes(`"${alert}"`))
    t.ok(own.some(({ exp_samples: samples }) => samples), `${alert} fires`)
    t.ok(own.filter(({ exp_samples: samples }) => !samples).length >= 2, `${alert} does not`)
  }
})

t.test('the dashboard can be imported into Grafana unchanged', async (t) => {
  const { uid, title, schemaVersion, templating } = dashboard
  t.match({ uid, title, schemaVersion }, { uid: 'spot-api', title: 'spot-api', schemaVersion: Number })
  t.strictSame(templating.list.map(({ name }: { name: string }) => name), ['datasource', 'job', 'instance'])
  const ids = dashboard.panels.map(({ id }: { id: number }) => id)
  t.equal(new Set(ids).size, ids.length, 'no id twice')
  t.equal(new Set(panels.map(({ title, gridPos }) => `${title} ${gridPos.y}`)).size, panels.length)
  const taken = new Set<string>()
  for (const { gridPos: { x, y, w, h } } of dashboard.panels as Panel[]) {
    if (x + w > 24) t.fail('beyond the right edge')
    for (let i = x; i < x + w; i++) {
      for (let j = y; j < y + h; j++) {
        if (taken.has(`${i} ${j}`)) t.fail('one over the other')
        taken.add(`${i} ${j}`)
      }
    }
  }
  for (const { title, description, datasource, fieldConfig } of panels) {
    t.match(description, /^.{20,}\.$/, title)
    t.match(datasource?.uid, /^\$\{datasource\}$/)
    t.ok(fieldConfig.defaults.unit)
  }
})

const noPromtool = spawnSync('promtool', ['--version']).error ? 'skipped: there is no promtool' : false

t.test('promtool accepts the alerts, and their tests pass', { skip: noPromtool }, async (t) => {
  const promtool = (words: string[], input = '') => {
    const { status, stdout, stderr } = spawnSync('promtool', words, { input, encoding: 'utf8' })
    t.equal(status, 0, `promtool ${words[0]} ${words[1]}`)
    return stdout + stderr
  }
  t.match(promtool(['check', 'rules', path(ALERTS)]), `${alerts.length} rules found`)
  t.match(promtool(['test', 'rules', path(ALERT_TESTS)]), 'SUCCESS')
  t.equal(promtool(['check', 'metrics'], text), '', 'it has nothing to find fault with')

  const exprs = panels.flatMap(({ targets = [] }) => targets)
    .map(({ expr }) => expr.replaceAll('$__rate_interval', '5m'))
  const rules = exprs.map((expr, n) => ({ record: `panel:${n}`, expr }))
  const groups = [{ name: 'panels', rules }]
  const file = `${testDirectory(t, { 'panels.json': JSON.stringify({ groups }) })}/panels.json`
  t.match(promtool(['check', 'rules', file]), `${exprs.length} rules found`, 'and the panels are sound')
})
