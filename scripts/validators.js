// Compiles the validators of all requests into dist/validators/: at the start it would take a third of a second.
// Usage: node --import=tsx scripts/validators.js
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { document, operationsOf } from '../openapi/document.ts'
import { schemasForAjv } from '../openapi/nullable.ts'
import { COMPONENTS, requestSchemas } from '../openapi/request-schemas.ts'

const { default: standaloneCode } = createRequire(import.meta.url)('ajv/dist/standalone')
const root = join(import.meta.dirname, '..')

/** Every JSON number is a double. No request has another format. */
const formats = { double: true }

/**
 * The text of the modules that check requests, by name. Each exports a function `<operationId>_<part>` for each schema.
 * Bodies reach Spot unchanged: nothing is coerced, filled in or taken out. Parameters are text: they need it.
 */
function validators () {
  const all = operationsOf(document).flatMap(({ operation, parameters }) =>
    Object.entries(requestSchemas(operation, parameters))
      .map(([part, schema]) => ({ name: `${operation.operationId}_${part}`, part, schema })))

  function moduleOf (schemas, options) {
    const ajv = new Ajv({
      strict: true, allErrors: true, keywords: ['components', 'integers'], formats, code: { source: true }, ...options
    })
    ajv.addSchema({ $id: COMPONENTS, components: { schemas: schemasForAjv() } })
    const names = new Map() // the first with each schema: most operations share their parameters
    const aliases = []
    for (const { name, schema } of schemas) {
      const text = JSON.stringify(schema)
      if (names.has(text)) aliases.push(`exports.${name} = exports.${names.get(text)};`)
      else names.set(text, name)
    }
    for (const [text, name] of names) ajv.addSchema(JSON.parse(text), name)
    const code = standaloneCode(ajv, Object.fromEntries([...names.values()].map((name) => [name, name])))
    return [code, ...aliases, ''].join('\n')
  }

  const bodies = all.filter(({ part }) => part === 'body')
  return {
    parameters: moduleOf(all.filter(({ part }) => part !== 'body'), { coerceTypes: 'array', useDefaults: true }),
    bodies: moduleOf(bodies, {}),
    'first-errors': moduleOf(bodies, { allErrors: false })
  }
}

const folder = join(root, 'dist/validators')
mkdirSync(folder, { recursive: true })
for (const [name, text] of Object.entries(validators())) writeFileSync(join(folder, `${name}.cjs`), text)
