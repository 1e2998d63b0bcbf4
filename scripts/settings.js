// `npm run generate:settings`: writes what repeats services/configuration/settings.ts, that is the tables of
// docs/configuration.md and the configuration in the chart's values.schema.json. Tests compare them.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { schema } from '../services/configuration/schema.js'
import { accountSettings, clientSettings, settings } from '../services/configuration/settings.js'

const root = join(import.meta.dirname, '..')
export const PAGE = join(root, 'docs/configuration.md')
export const CHART = join(root, 'deploy/chart/values.schema.json')

const tables = { settings, accountSettings, clientSettings }

const rangeOf = ({ minimum, maximum }) => [minimum, maximum].includes(undefined) ? '' : ` ${minimum} to ${maximum}.`
const defaultOf = ({ required, default: value }) =>
  required ? 'required' : value === undefined ? '' : `\`${JSON.stringify(value)}\``

const rowOf = ([name, setting], live) => [
  `\`${name}\``, defaultOf(setting), ...live ? [setting.live ? 'at once' : 'restart'] : [],
  setting.doc + rangeOf(setting.schema)
]

/** A table in Markdown. Only settings of the file itself differ in when they are applied. */
function tableOf (table) {
  const live = table === settings
  const head = ['setting', 'default', ...live ? ['applied'] : [], 'meaning']
  const rows = [head, head.map(() => '---'), ...Object.entries(table).map((entry) => rowOf(entry, live))]
  const lineOf = (cells) => cells[0] === '---' ? `|${cells.join('|')}|` : `| ${cells.join(' | ')} |`
  return rows.map(lineOf).join('\n')
}

/** The page with its tables as they should be: each stands between `<!-- table: NAME -->` and `<!-- end -->`. */
export const pageOf = (page) => page.replace(
  /(<!-- table: (\w+) -->\n)[^]*?(<!-- end -->)/g, (_, begin, name, end) => `${begin}${tableOf(tables[name])}\n${end}`)

/** The schema of the chart's values as it should be; the chart itself sets what is missing in `config`. */
export function chartOf (values) {
  const { listenAddress, deadlines, drainSeconds, state, ...properties } = schema.properties
  Object.assign(values.properties, { deadlines, drainSeconds })
  values.properties.config.properties = properties
  values.properties.state.properties.redis.properties = state.properties.redis.properties
  return values
}

if (import.meta.filename === process.argv[1]) {
  writeFileSync(PAGE, pageOf(readFileSync(PAGE, 'utf8')))
  writeFileSync(CHART, JSON.stringify(chartOf(JSON.parse(readFileSync(CHART, 'utf8'))), null, 2) + '\n')
}
