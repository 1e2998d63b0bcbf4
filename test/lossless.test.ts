import { deepStrictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { ACCOUNT, start, TOKEN } from './helper.js'

/** Bodies of a create, and of an update each, that are drawn for either resource. */
const RUNS = process.env.CHAOS === 'full' ? 500 : 40

/** What JSON itself makes of a value: it knows no -0. */
const asJson = <T>(value: T): T => JSON.parse(JSON.stringify(value))

/** Two keys are refused as an attack on prototypes; test/http-edges.test.ts shows that. */
const isRefused = (value: unknown) => /"(__proto__|constructor)":/.test(JSON.stringify(value))

/** Names no schema knows, so that their values may be anything. */
const strangeName = fc.string({ unit: 'grapheme', maxLength: 12 }).map((name) => `x${name}`)
const strangeValue = fc.oneof(
  fc.constantFrom(null, 0, '', false, [], {}, [null], { a: null }, [[]], 1e-7, 123456789012345, '\u0000', '🦀'),
  fc.constantFrom('\ud83d', '</script>', '__proto__', 'null'),
  fc.jsonValue({ maxDepth: 6, stringUnit: 'grapheme' }).filter((value) => !isRefused(value))
)
const strange = fc.dictionary(strangeName, strangeValue, { maxKeys: 4, noNullPrototype: true })

/** An object with some of the named keys, each null or of its type, and keys that nobody knows. */
const object = (known: Record<string, fc.Arbitrary<unknown>>) =>
  fc.tuple(strange, fc.record(mapValues(known, (value) => fc.option(value, { nil: null })), { requiredKeys: [] }))
    .map(([unknown, values]) => ({ ...unknown, ...values }))

const mapValues = <A, B>(record: Record<string, A>, map: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]))

const text = fc.string({ unit: 'grapheme' })
const tags = fc.array(object({ tagKey: text, tagValue: text }), { maxLength: 3 })

const groups = object({
  description: text,
  strategy: object({ risk: fc.integer({ min: 0, max: 100 }), fallbackToOd: fc.boolean(), persistence: object({}) }),
  scaling: object({ up: fc.constant([]), down: fc.constant([]) }),
  compute: object({
    elasticIps: fc.array(text),
    launchSpecification: object({
      monitoring: fc.boolean(), securityGroupIds: fc.array(text), tags, userData: fc.constant('aGk=')
    })
  }),
  scheduling: object({}),
  thirdPartiesIntegration: object({})
})

const instances = object({
  description: text,
  strategy: object({ fallbackToOd: fc.boolean() }),
  healthCheck: object({ autoHealing: fc.boolean(), gracePeriod: fc.nat() }),
  persistence: object({ persistRootDevice: fc.boolean() }),
  compute: object({
    elasticIp: text,
    launchSpecification: object({ ebsOptimized: fc.boolean(), securityGroupIds: fc.array(text), tags })
  }),
  integrations: object({}),
  scheduling: object({})
})

/** What Spot requires of a create, over whatever was drawn. */
const required = {
  elastigroups: (drawn: Record<string, unknown>) => ({
    strategy: {}, compute: {}, ...drawn, name: 'lossless', capacity: { minimum: 0, target: 0, maximum: 1 }
  }),
  instances: ({ compute, ...drawn }: Record<string, unknown>) => ({
    ...drawn, name: 'lossless', region: 'us-east-1', compute: { ...compute as object, subnetIds: [], vpcId: 'vpc-1' }
  })
}

for (const { resource, envelope, bodies } of [
  { resource: 'elastigroups', envelope: 'group', bodies: groups },
  { resource: 'instances', envelope: 'managedInstance', bodies: instances }
] as const) {
  t.test(`${resource}: bodies reach Spot, and its answers the caller, unchanged`, async (t) => {
    const { url, sandbox } = await start(t, { sandbox: { rateLimit: Infinity } })
    const [spot] = sandbox.accounts
    const call = async (method: string, path: string, body?: unknown) => {
      const response = await fetch(url + path, {
        method,
        headers: { 'x-auth-token': TOKEN, 'content-type': 'application/json' },
        ...body !== undefined && { body: JSON.stringify(body) }
      })
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
      return { location: response.headers.get('location') as string, json: await response.json() as object }
    }
    /** The resource as Spot itself shows it. */
    const spotShows = async (location: string) => {
      const path = `/aws/ec2/${envelope}/${location.split('/').at(-1)}?accountId=${spot?.id}`
      const response = await fetch(sandbox.url + path, { headers: { authorization: `Bearer ${spot?.token}` } })
      return (await response.json() as { response: { items: object[] } }).response.items[0]
    }
    const received = () => sandbox.transcript.at(-1)?.body as Record<string, unknown>

    let runs = 0
    await fc.assert(fc.asyncProperty(bodies, bodies, async (drawn, changes) => {
      runs++
      const body = required[resource](drawn)
      const created = await call('POST', `/v1/spot/${ACCOUNT}/${resource}`, body)
      deepStrictEqual(received(), { [envelope]: asJson(body) })
      deepStrictEqual(created.json, await spotShows(created.location))

      const updated = await call('PUT', created.location, changes)
      deepStrictEqual(received(), { [envelope]: asJson(changes) })
      const shown = await spotShows(created.location)
      deepStrictEqual(updated.json, shown)
      deepStrictEqual((await call('GET', created.location)).json, shown)
    }), { numRuns: RUNS })
    t.ok(runs >= RUNS, `${runs * 2} bodies`)
  })
}
