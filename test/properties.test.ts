import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import t from 'tap'
import { schemasForAjv } from '../openapi/nullable.js'

/**
 * The schemas of the two resources against every property that Spot's own OpenAPI document or its Go SDK knows.
 * known-properties.json maps each path to its type; `integer|string` where the two sources differ.
 */

type Schema = {
  $ref?: string
  type?: string
  properties?: Record<string, Schema>
  items?: Schema
  allOf?: Schema[]
  anyOf?: Schema[]
}

/** One property of a resource: the types it accepts and the places in the document that define it. */
type Property = { types: Set<string>, pointers: Set<string> }

const read = (name: string) => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'))
const document = read('../openapi/spot-api.json') as { components: { schemas: Record<string, Schema> } }
const known = read('known-properties.json') as Record<'elastigroup' | 'managedInstance', Record<string, string>>

const twin = 'Generators stop at names that differ in case only. It passes as one that nobody knows.'
const pair = 'Clients send a list of pairs. One alone, which only the vendor document has, is a type that Java lacks.'
const array = 'An array of persistence objects exists in the vendor document only. Its own replies hold one object.'

/** Known paths that our schemas do not describe, and why. */
const leftOut: Record<string, string> = {
  'thirdPartiesIntegration.ecs.autoScale.attributes.key': pair,
  'thirdPartiesIntegration.ecs.autoScale.attributes.value': pair,
  'scheduling.tasks[].MaxCapacity': twin,
  'scheduling.tasks[].MinCapacity': twin,
  'strategy.persistence[].blockDevicesMode': array,
  'strategy.persistence[].shouldPersistBlockDevices': array,
  'strategy.persistence[].shouldPersistPrivateIp': array,
  'strategy.persistence[].shouldPersistRootDevice': array
}

/** The schema itself, or all the alternatives behind $ref, allOf and anyOf, each with its JSON pointer. */
const alternatives = (schema: Schema, pointer: string): [Schema, string][] => {
  if (schema.$ref) {
    const name = schema.$ref.replace('#/components/schemas/', '')
    return alternatives(document.components.schemas[name]!, schema.$ref.slice(1))
  }
  const parts = (['allOf', 'anyOf'] as const).flatMap(key =>
    (schema[key] ?? []).flatMap((part, i) => alternatives(part, `${pointer}/${key}/${i}`)))
  return schema.properties || parts.length === 0 ? [[schema, pointer], ...parts] : parts
}

const typesOf = (schema: Schema, pointer: string): string[] =>
  alternatives(schema, pointer).flatMap(([{ type, items }]) =>
    type === 'array' ? typesOf(items!, pointer).map(item => `array<${item}>`) : [type ?? 'unknown'])

/** Every property below the schema, by its path: `compute.launchSpecification.tags[].tagKey`. */
const propertiesOf = (name: string) => {
  const found = new Map<string, Property>()
  const walk = (schema: Schema, pointer: string, path: string, above: string[]) => {
    for (const [part, at] of alternatives(schema, pointer)) {
      if (above.includes(at)) continue
      if (part.items) walk(part.items, `${at}/items`, `${path}[]`, [...above, at])
      for (const [key, property] of Object.entries(part.properties ?? {})) {
        const here = path ? `${path}.${key}` : key
        const entry = found.get(here) ?? { types: new Set(), pointers: new Set() }
        typesOf(property, at).forEach(type => entry.types.add(type))
        entry.pointers.add(`${at}/properties/${key}`)
        found.set(here, entry)
        walk(property, `${at}/properties/${key}`, here, [...above, at])
      }
    }
  }
  walk(document.components.schemas[name]!, `/components/schemas/${name}`, '', [])
  return found
}

/** A number takes integers too, so it serves both. What has no type takes any. */
const accepts = (types: Set<string>, type: string) =>
  types.has(type) || types.has('unknown') || (type === 'integer' && types.has('number'))

const ajv = new Ajv({ strict: true, keywords: ['components'], formats: { double: true } })
ajv.addSchema({ $id: 'spot-api', components: { schemas: schemasForAjv() } })
const compile = (pointer: string) => ajv.compile({ $ref: `spot-api#${pointer}` })

for (const [resource, schema] of [['elastigroup', 'Elastigroup'], ['managedInstance', 'ManagedInstance']] as const) {
  t.test(schema, async t => {
    const ours = propertiesOf(schema)
    const theirs = Object.entries(known[resource])

    t.test('describes every property that Spot or its SDK knows', async t => {
      t.strictSame(theirs.map(([path]) => path).filter(path => !ours.has(path) && !leftOut[path]), [])
    })

    t.test('describes no property that neither of them knows', async t => {
      t.strictSame([...ours.keys()].filter(path => !(path in known[resource])), [])
    })

    t.test('accepts the type that either of them gives a property', async t => {
      const refused = theirs.flatMap(([path, types]) => types.split('|')
        .filter(type => ours.has(path) && !accepts(ours.get(path)!.types, type))
        .map(type => `${path}: ${type}`))
      t.strictSame(refused, [])
    })

    t.test('accepts null for every property, because null clears it', async t => {
      const refused = [...ours].flatMap(([path, { pointers }]) =>
        [...pointers].filter(pointer => !compile(pointer)(null)).map(() => path))
      t.strictSame(refused, [])
    })

    t.test('accepts properties that nobody knows yet', async t => {
      const closed = [...ours].filter(([, { types }]) => types.has('object')).flatMap(([path, { pointers }]) =>
        [...pointers].filter(pointer => !compile(pointer)({ notKnownYet: [1] })).map(() => path))
      t.strictSame(closed, [])
    })

    t.test('is no object that may be null', async t => {
      for (const name of [schema, `${schema}Create`, `${schema}Update`]) {
        t.equal(compile(`/components/schemas/${name}`)(null), false, name)
      }
    })

    t.test('requires nothing of an update', async t => {
      t.equal(compile(`/components/schemas/${schema}Update`)({}), true)
    })
  })
}

t.test('a create names the properties that it lacks', async t => {
  const required = {
    ElastigroupCreate: ['name', 'capacity', 'strategy', 'compute'],
    ManagedInstanceCreate: ['name', 'region', 'compute']
  }
  for (const [name, properties] of Object.entries(required)) {
    const all = Object.fromEntries(properties.map(property => [property, null]))
    t.equal(compile(`/components/schemas/${name}`)(all), true, name)
    for (const property of properties) {
      const { [property]: _, ...rest } = all
      const validate = compile(`/components/schemas/${name}`)
      t.equal(validate(rest), false)
      t.match(validate.errors, [{ keyword: 'required', params: { missingProperty: property } }])
    }
  }
})

t.test('userData and shutdownScript take base64 and nothing else', async t => {
  for (const resource of ['Elastigroup', 'ManagedInstance']) {
    for (const property of ['userData', 'shutdownScript']) {
      const validate = compile(`/components/schemas/${resource}LaunchSpecification/properties/${property}`)
      for (const text of ['', 'IyEvYmluL3NoCg==', 'YWJj', 'YWI=']) t.equal(validate(text), true, text)
      for (const text of ['#!/bin/sh', 'abc', 'YWI', 'YW I=']) t.equal(validate(text), false, text)
    }
  }
})

t.test('a scaling action takes a number, the same as text, or an expression', async t => {
  const validate = compile('/components/schemas/IntegerOrExpression')
  for (const value of [0, 2, '2', 'MAX(currCapacity / 5, value * 10)', null]) t.equal(validate(value), true)
  for (const value of [true, [], {}, 1.5]) t.equal(validate(value), false)
})

t.test('attributes of ECS instances are a list of pairs', async t => {
  const validate = compile('/components/schemas/EcsAutoScale')
  const attribute = { key: 'zone', value: 'a' }
  for (const attributes of [[attribute], [], null]) t.equal(validate({ attributes }), true)
  t.equal(validate({ attributes: attribute }), false, 'not one alone, which Java would need a type of its own for')
})
