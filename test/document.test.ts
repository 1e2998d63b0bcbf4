import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { document } from '../openapi/document.js'

/* Each rule forbids something that made a client generator fail. `bad` breaks the rule, so that it is seen to work. */

type Json = Record<string, any>

/** Every object in a value, with its JSON pointer. */
function * objectsIn (value: unknown, pointer = ''): Generator<[Json, string]> {
  if (typeof value !== 'object' || value === null) return
  yield [value as Json, pointer]
  for (const [name, inner] of Object.entries(value)) yield * objectsIn(inner, `${pointer}/${name}`)
}

/** Names that are the same as an earlier one, but for upper and lower case. */
const twins = (names: string[]) => names.filter((name, index) =>
  names.findIndex((other) => other.toLowerCase() === name.toLowerCase()) < index)

/** Keywords of Go, Java, Kotlin, Python, Rust and TypeScript, and type names that generated code has already. */
const taken = new Set(`
  abstract any array as assert async await bool boolean break byte case catch char class client configuration const
  context continue crate date default defer del delete dict do double elif else enum error except exception export
  extends false final finally float fn for from func function fun global go goto headers if impl implements import in
  instanceof int integer interface internal is lambda let list long loop map match mod module move mut namespace native
  new none nonlocal not null number object operation option optional or override package pass private protected public
  raise range record ref request response result return select self set short static str string struct super switch
  sync this throw throws time trait transient true try type typeof union unit unsafe unset use val value var version
  void volatile when where while with yield
`.trim().split(/\s+/))

/** The schemas that replies are made of, however deep. */
function repliesOf ({ paths, components }: Json): Json[] {
  const found = new Set<Json>()
  function visit (value: unknown) {
    for (const [{ $ref }] of objectsIn(value)) {
      if (typeof $ref !== 'string') continue
      const [, , section = '', name = ''] = $ref.split('/')
      const component = components[section][name]
      if (section === 'examples' || found.has(component)) continue
      found.add(component)
      visit(component)
    }
  }
  visit(Object.values<Json>(paths).flatMap((item) => Object.values(item).map(({ responses }) => responses)))
  return [...found]
}

const PROBLEM = 'urn:problem-type:spot-api:'

/** The only date-time that this server writes itself. Spot's have offsets like `+0000`, which few languages parse. */
const EXPIRES = '/components/schemas/ClientIdentity/properties/expires'

/** What stands beside the reference to an object that may be null. */
const NULLABLE = { type: 'object', nullable: true }
const isComponent = (pointer: string) => pointer.lastIndexOf('/') === 0

/** Values of any type, in problems only. */
const ANY = ['/DryRunChange']
const isFree = ({ type, properties }: Json) => type === 'object' && !properties

const suffixes = { parameters: 'Parameter', responses: 'Response', headers: 'Header', examples: 'Example' }

const rules: Record<string, { faults: (document: Json) => string[], bad: (document: Json) => void }> = {
  'no component has the name of another, in whatever section': {
    faults: ({ components }) => twins(Object.values<Json>(components).flatMap(Object.keys)),
    bad: ({ components }) => { components.parameters.account = components.parameters.AccountParameter }
  },
  'the name of a parameter, response, header or example ends with what it is': {
    faults: ({ components }) => Object.entries(suffixes).flatMap(([section, suffix]) =>
      Object.keys(components[section]).filter((name) => !name.endsWith(suffix))),
    bad: ({ components }) => { components.headers.Age = {} }
  },
  'no component is called like a keyword or a type of generated code': {
    faults: ({ components }) => Object.values<Json>(components).flatMap(Object.keys)
      .filter((name) => taken.has(name.toLowerCase())),
    bad: ({ components }) => { components.schemas.Import = {} }
  },
  'no object has two properties that differ only in case': {
    faults: (document) => [...objectsIn(document)].flatMap(([{ type, properties }, pointer]) =>
      type === 'object' && properties ? twins(Object.keys(properties)).map((name) => `${pointer}/${name}`) : []),
    bad: ({ components }) => { components.schemas.ElastigroupTask.properties.MinCapacity = { type: 'integer' } }
  },
  'no object is made of parts, and what may be null says so where it is referred to': {
    faults: ({ components }) => [...objectsIn(components.schemas)].filter(([{ allOf, oneOf, ...rest }, pointer]) =>
      oneOf || (allOf ? !isDeepStrictEqual(rest, NULLABLE) || allOf.length > 1 : isComponent(pointer) && rest.nullable))
      .map(([, pointer]) => pointer),
    bad: ({ components }) => {
      components.schemas.Tag.nullable = true
      components.schemas.Roll.allOf = [{ $ref: '#/components/schemas/RollCreate' }]
      components.schemas.Roll.properties.progress.allOf.push({ type: 'object' })
    }
  },
  'no value is of two types, but for a number that may be a text': {
    faults: (document) => [...objectsIn(document)].filter(([{ anyOf }]) =>
      Array.isArray(anyOf) && !anyOf.every(({ type }: Json) => ['integer', 'number', 'string'].includes(type)))
      .map(([, pointer]) => pointer),
    bad: ({ components }) => {
      components.schemas.EcsBatch.properties.jobQueueNames = { anyOf: [{ type: 'array' }, { type: 'object' }] }
    }
  },
  'each operation has one success, and at most one way to prove who calls': {
    faults: ({ paths, security, components }) => [
      ...Object.values<Json>(paths).flatMap((item) => Object.values<Json>(item))
        .filter(({ operationId, responses, security = [] }) => operationId &&
          (security.flatMap(Object.keys).length > 1 ||
            Object.keys(responses).filter((status) => status < '3').length !== 1))
        .map(({ operationId }) => operationId),
      ...[security, Object.keys(components.securitySchemes)].filter(({ length }) => length !== 1)
    ],
    bad: ({ paths, security, components }) => {
      paths['/v1/spot/whoami'].get.responses['202'] = {}
      security.push({ other: [] })
      components.securitySchemes.other = {}
    }
  },
  'numbers are doubles, integers are what a language has for them, and moments of Spot are texts': {
    faults: (document) => [...objectsIn(document)]
      .filter(([{ type, format }, pointer]) => (type === 'number' && format !== 'double') ||
        (type === 'integer' && format) || (format === 'date-time' && pointer !== EXPIRES))
      .map(([, pointer]) => pointer),
    bad: ({ components }) => {
      delete components.schemas.ElastigroupStrategy.properties.risk.format
      components.schemas.Capacity.properties.target.format = 'int64'
      components.schemas.Roll.properties.createdAt.format = 'date-time'
    }
  },
  'nothing in a reply is closed: a newer server may add a key or a word': {
    faults: (document) => repliesOf(document).flatMap((reply) => [...objectsIn(reply)])
      .flatMap(([{ additionalProperties, enum: words }, pointer]) =>
        additionalProperties === false || Array.isArray(words) ? pointer : []),
    bad: ({ components }) => {
      components.schemas.Readiness.additionalProperties = false
      components.schemas.Tag.properties.tagKey.enum = ['team']
    }
  },
  'what may be missing in a body has a type, and objects in arrays have properties': {
    faults: ({ components }) => [...objectsIn(components.schemas)].flatMap(([{ items, properties }, pointer]) => [
      // Where a type is missing, Go and Java send null for what is not set.
      ...Object.entries<Json>(ANY.includes(pointer) ? {} : properties ?? {})
        .filter(([, { type, $ref, allOf, anyOf }]) => !(type ?? $ref ?? allOf ?? anyOf))
        .map(([property]) => `${pointer}/properties/${property}`),
      // Of the others, openapi-generator's Go clients make a type that is not there.
      ...items?.$ref && isFree(components.schemas[items.$ref.split('/').at(-1)]) ? [`${pointer}/items`] : []
    ]),
    bad: ({ components }) => {
      components.schemas.ElastigroupUpdate.properties.multai = {}
      delete components.schemas.RollInstance.properties
    }
  },
  'constants of problems are called as their types are': {
    faults: ({ components }) => components.schemas.ProblemType.enum.filter((type: string, index: number) =>
      type !== PROBLEM + components.schemas.ProblemType['x-enum-varnames'][index].toLowerCase().replaceAll('_', '-')),
    bad: ({ components }) => { components.schemas.ProblemType.enum.shift() }
  }
}

for (const [name, { faults, bad }] of Object.entries(rules)) {
  t.test(name, async (t) => {
    t.strictSame(faults(document), [])
    const worse = structuredClone(document)
    bad(worse)
    t.not(faults(worse).length, 0, 'and it would be found')
  })
}
