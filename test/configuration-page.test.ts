import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import t from 'tap'
import { PAGE, pageOf } from '../scripts/settings.js'
import { document } from '../openapi/document.js'
import { readConfiguration } from '../services/configuration/index.js'
import type { Setting } from '../services/configuration/setting.js'
import { accountSettings, clientSettings, RESERVED_NAMES, settings } from '../services/configuration/settings.js'
import { KEY } from './keys.js'
import { testDirectory } from './test-directory.js'

const page = readFileSync(PAGE, 'utf8')

t.test('docs/configuration.md has every setting: npm run generate:settings', async (t) => {
  t.equal(page, pageOf(page))
  const names = [settings, accountSettings, clientSettings].flatMap((table) => Object.keys(table))
  for (const name of names) t.ok(page.includes(`\n| \`${name}\` |`), name)
  for (const name of RESERVED_NAMES) t.match(page, `\`${name}\``)
  const own = Object.keys(document.paths).map((path) => path.split('/')[3]?.replace(/\..*/, ''))
    .filter((name) => name !== '{account}')
  t.strictSame(RESERVED_NAMES.toSorted(), [...new Set([...own, 'docs'])].sort(), 'these are all')
})

t.test('the examples of docs/configuration.md work as pasted', async (t) => {
  const examples = [...page.matchAll(/^```json\n([^]*?)^```$/gm)].map(([, text = '']) => text)
  t.equal(examples.length, 2)
  const environment = {
    SPOT_TOKEN_DEV: 'vendor', SPOT_API_KEY: KEY, PORTAL_KEY: `${KEY}-2`, PLATFORM_KEY: `${KEY}-3`
  }
  for (const example of examples) {
    const files = { 'config.json': example, 'pipeline.old': `${KEY}-4\n`, 'pipeline.new': `${KEY}-5\n` }
    const { configuration } = readConfiguration(join(testDirectory(t, files), 'config.json'), environment)
    t.ok(configuration.accounts.dev)
  }
})

t.test('every default satisfies its schema, and the settings of one part are all live or none', async (t) => {
  const ajv = new Ajv({ allowUnionTypes: true })
  const parts = new Map<string, boolean>()
  for (const [name, setting] of Object.entries<Setting>({ ...accountSettings, ...clientSettings, ...settings })) {
    const { schema, default: value, property = name.split('.')[0] ?? '', live = false } = setting
    if (value !== undefined) t.ok(ajv.validate(schema, value), name)
    if (!(name in settings)) continue
    t.equal(live, parts.get(property) ?? live, name)
    parts.set(property, live)
  }
})
