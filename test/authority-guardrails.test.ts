import t from 'tap'
import { checkSchema, ConfigurationError, resolveSettings } from '../services/configuration/index.js'
import { judge, type Guardrails, type Reader } from '../services/guardrails/index.js'
import type { JsonObject } from '../services/resources/json.js'
import { KEY } from './keys.js'

/** A group as it stands, for writes that change a part of it. */
const stands = {
  id: 'sig-1',
  capacity: { minimum: 0, target: 2, maximum: 4 },
  compute: { launchSpecification: { iamRole: { name: 'web' }, imageId: 'ami-1' } }
}
const noun = { get: async () => stands, list: async () => [stands] }
const spot = { elastigroups: noun, managedInstances: noun } as unknown as Reader

function ask (schema: Guardrails['schema'], operationId: string, body: unknown, query = {}) {
  const rules = [{ ...schema && { schema } }]
  return judge({ operationId, params: { elastigroup: 'sig-1', instance: 'smi-1' }, query, body, rules, spot })
}

const at = (path: string, schema: JsonObject): JsonObject => path.split('.').reduceRight<JsonObject>((inner, name) =>
  ({ properties: { [name]: inner } }), schema)

const role = at('compute.launchSpecification.iamRole.name', {
  glob: ['web*', 'app'], message: 'must be a role of the web'
})
const size = at('compute.launchSpecification.blockDeviceMappings', {
  items: at('ebs.volumeSize', { maximum: 100 })
})
const target = at('capacity.target', { type: 'integer', maximum: 3 })
const rules = { elastigroup: { required: ['capacity'], allOf: [role, size, target] } }
const group = (launchSpecification: object, capacity: unknown = { target: 1 }) =>
  ({ capacity, compute: { launchSpecification } })

t.test('guardrail schema: a breach is named with its pointer and the message of the operator', async (t) => {
  const names = (name: unknown) => ({ iamRole: { name } })
  const volumes = (...sizes: number[]) =>
    ({ blockDeviceMappings: sizes.map((volumeSize) => ({ ebs: { volumeSize } })) })
  const place = '#/compute/launchSpecification'
  type Found = [place: string, message: string | RegExp]
  const rows: [operation: string, body: unknown, found: Found[], query?: object][] = [
    ['createElastigroup', group(names('web-1')), []],
    ['createElastigroup', group({}), []],
    ['createElastigroup', group(names('root')), [[`${place}/iamRole/name`, 'must be a role of the web']]],
    ['createElastigroup', { compute: {} }, [['#/capacity', 'must be set']]],
    ['createElastigroup', group({ ...names('root'), ...volumes(100, 101) }, { target: 9 }), [
      [`${place}/iamRole/name`, 'must be a role of the web'],
      [`${place}/blockDeviceMappings/1/ebs/volumeSize`, 'must be <= 100'],
      ['#/capacity/target', 'must be <= 3']
    ]],
    ['updateElastigroup', { name: 'x' }, []],
    ['updateElastigroup', { compute: { launchSpecification: names('root') } }, [
      [`${place}/iamRole/name`, /role of the web/]
    ]],
    ['updateElastigroup', { capacity: { target: 4 } }, [['#/capacity/target', 'must be <= 3']]],
    ['updateElastigroup', { capacity: null }, []],
    ['updateElastigroupCapacity', { target: 3 }, []],
    ['updateElastigroupCapacity', { target: 4 }, [['#/target', /whose #\/capacity\/target must be <= 3/]]],
    ['scaleUpElastigroup', undefined, [], { adjustment: 1 }],
    ['scaleUpElastigroup', undefined, [['adjustment', /whose #\/capacity\/target must be <= 3/]], { adjustment: 2 }],
    ['createInstance', group(names('root'), { target: 9 }), []]
  ]
  for (const [operation, body, found, query] of rows) {
    const errors = await ask(rules, operation, body, query)
    t.match(errors.map(({ pointer, parameter, message }) => [pointer ?? parameter, message]), found,
      `${operation} ${JSON.stringify(body)}`)
    t.equal(errors.length, found.length, JSON.stringify(errors))
    t.ok(errors.every(({ code }) => code === 'schema'))
  }
  const standing = at('compute.launchSpecification.imageId', { const: 'ami-2' })
  t.match(await ask({ elastigroup: standing }, 'updateElastigroup', { name: 'x' }), [
    { pointer: `${place}/imageId`, message: 'must be equal to constant (it is so now)' }
  ])
  t.match(await ask({ elastigroup: standing }, 'updateElastigroupCapacity', { target: 2 }), [
    { pointer: '#', message: /#\/compute\/launchSpecification\/imageId must be equal/ }
  ], 'a change of the capacity alone does not slip past')
})

t.test('guardrail schema: an import is checked by what its body says', async (t) => {
  const schema = { managedInstance: at('compute.product', { enum: ['Linux/UNIX'] }) }
  const body = { originalInstanceId: 'i-1', region: 'us-east-1', product: 'Windows', shouldTerminateInstance: false }
  t.match(await ask(schema, 'createImport', body), [{ pointer: '#/product', code: 'schema' }])
  const iamRole = at('compute.launchSpecification.iamRole.name', { glob: 'web*' })
  const unknown = [{ pointer: '#', message: /^compute.launchSpecification.iamRole cannot be checked \(an import/ }]
  const definitions = { role: iamRole }
  const rows: [managedInstance: JsonObject, found: object[]][] = [
    [at('region', { const: 'us-east-1' }), []],
    [at('compute', { type: 'object', required: ['product'] }), []],
    [iamRole, unknown],
    [{ allOf: [{ anyOf: [iamRole] }] }, unknown],
    [{ definitions, not: { $ref: '#/definitions/role' } }, unknown],
    [at('compute.launchSpecification', { not: { required: ['iamRole'] } }), unknown],
    [at('compute', { minProperties: 1 }), [{ message: /^compute cannot be checked/ }]]
  ]
  for (const [managedInstance, found] of rows) {
    const errors = await ask({ managedInstance }, 'createImport', body)
    t.match(errors.slice(0, 1), found, JSON.stringify(managedInstance))
    t.equal(errors.length > 0, found.length > 0)
  }
})

t.test('guardrail schema: at most 20 errors are listed', async (t) => {
  const many = { elastigroup: { allOf: Array.from({ length: 40 }, (_, i) => at(`x${i}`, { type: 'string' })) } }
  const body = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`x${i}`, i]))
  t.equal((await ask(many, 'createElastigroup', body)).length, 20)
  let looks = 0
  const list = new Proxy(Array.from({ length: 100_000 }, () => 1), {
    get (target, name) {
      if (typeof name === 'string' && /^\d+$/.test(name)) looks++
      return target[name as unknown as number]
    }
  })
  const strings = { elastigroup: at('list', { items: { type: 'string' } }) }
  const found = await ask(strings, 'createElastigroup', { list })
  t.match(found, [{ pointer: '#/list/0' }])
  t.ok(looks < 10, `${looks} items are looked at`)
})

t.test('guardrail schema: invalid ones, and those that may take unbounded time, are refused', async (t) => {
  const read = (schema: unknown, where: 'account' | 'client' = 'account') => {
    const guardrails = { guardrails: { schema } }
    const file = {
      accounts: { demo: { id: 'act-1', token: 'a-token', ...where === 'account' && guardrails } },
      token: KEY,
      clients: [{
        name: 'c', key: 'the-key-of-c-0000', accounts: ['*'], access: 'write', ...where === 'client' && guardrails
      }]
    }
    const source = { name: 'the file', folder: '.', environment: {} }
    checkSchema(file, source)
    return resolveSettings(file, source)
  }
  t.ok(read(rules))
  t.ok(read({ elastigroup: { properties: { pattern: { enum: [{ pattern: 'x' }] }, uniqueItems: true } } }), 'as a name')
  t.ok(read({ elastigroup: { definitions: { a: {} }, properties: { x: { $ref: '#/definitions/a' } } } }))
  const endless = Object.fromEntries(Array.from({ length: 20 }, (_, i) =>
    [`d${i}`, i === 0 ? {} : { allOf: [0, 1].map(() => ({ $ref: `#/definitions/d${i - 1}` })) }]))
  const rows: [schema: unknown, message: RegExp][] = [
    [{ elastigroup: { properties: { x: { pattern: '(a+)+$' } } } }, /must not have pattern; "glob" takes the place/],
    [{ elastigroup: { patternProperties: {} } }, /must not have patternProperties/],
    [{ elastigroup: { propertyNames: { pattern: 'x' } } }, /must not have pattern/],
    [{ elastigroup: { dependencies: { x: { uniqueItems: true } } } }, /must not have uniqueItems/],
    [{ elastigroup: { items: [{ not: { uniqueItems: true } }] } }, /must not have uniqueItems/],
    [{ elastigroup: { $ref: 'http://127.0.0.1/x' } }, /no \$ref except to its own definitions/],
    [{ elastigroup: { items: { $ref: '#' } } }, /no \$ref except/],
    [{ elastigroup: { $ref: '#/definitions/none' } }, /no \$ref except/],
    [{ elastigroup: { $id: 'http://127.0.0.1/x' } }, /must not have \$id/],
    [{ elastigroup: { definitions: { a: { items: { $ref: '#/definitions/a' } } }, $ref: '#/definitions/a' } },
      /must not be recursive: a/],
    [{ elastigroup: { definitions: endless, $ref: '#/definitions/d19' } }, /more than 1000 schemas/],
    [{ elastigroup: { type: 'strange' } }, /is not a JSON Schema of draft-07/],
    [{ elastigroup: { maxmum: 1 } }, /unknown keyword: "maxmum"/],
    [{ elastigroup: { allOf: 5 } }, /is not a JSON Schema of draft-07/],
    [{ group: {} }, /is not a setting/], [{}, /must not be empty/], [{ elastigroup: true }, /must be an object/]
  ]
  for (const where of ['account', 'client'] as const) {
    for (const [schema, message] of rows) {
      const what = JSON.stringify(schema).slice(0, 90)
      t.throws(() => read(schema, where), { name: ConfigurationError.name, message }, what)
    }
  }
  t.match(await ask({ elastigroup: { allOf: [false] } as never }, 'createElastigroup', {}), [{ pointer: '#' }])
})
