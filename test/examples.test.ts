import { hashSync } from '@node-rs/bcrypt'
import t, { type Test } from 'tap'
import { document } from '../openapi/document.js'
import { owner } from '../services/configuration/index.js'
import type { Guardrails } from '../services/guardrails/index.js'
import { start, startGateway, type Reply, type RequestOptions } from './helper.js'
import { KEY } from './keys.js'
import { until } from './until.js'

/* The document's examples of problems are what the server says, word by word. */

interface Media { example?: unknown, examples?: Record<string, { value: unknown }> }

const { responses } = document.components as unknown as {
  responses: Record<string, { content?: Record<string, Media> }>
}
const examples = Object.entries(responses).flatMap(([component, { content }]) => {
  const name = component.replace(/Response$/, '')
  const media = content?.['application/problem+json']
  if (!media) return []
  const named = Object.entries(media.examples ?? {}).map(([key, { value }]) => [`${name} ${key}`, value] as const)
  return named.length > 0 ? named : [[name, media.example] as const]
})

const groups = '/v1/spot/demo/elastigroups'
const group = {
  name: 'web',
  strategy: { risk: 100 },
  capacity: { minimum: 0, target: 2, maximum: 4, unit: 'instance' },
  compute: { product: 'Linux/UNIX', instanceTypes: { ondemand: 't3.micro', spot: ['t3.micro'] } }
}
const tooLarge = { ...group, capacity: { ...group.capacity, maximum: 40 } }
const portal = {
  name: 'portal', keys: ['the-key-of-portal-0'], accounts: ['demo'], access: 'read', allowDelete: false
} as const

/** A gateway that sends a request id that examples show. */
async function startFor (t: Test, guardrails: Guardrails = {}) {
  const { request, sandbox, app } = await start(t, {
    configuration: { clients: [{ ...owner(KEY), guardrails }, portal] }
  })
  const ask = (method: string, path: string, { headers, ...options }: RequestOptions = {}) =>
    request(method, path, { ...options, headers: { 'x-request-id': '4f1c', ...headers } })
  const create = async () => (await ask('POST', groups, { body: group })).headers.location as string
  return { ask, create, sandbox, app }
}

/** How each example comes about. */
const cases: Record<string, (t: Test) => Promise<Reply>> = {
  async BadRequest (t) {
    const { ask } = await startFor(t)
    return ask('POST', groups, { body: { ...group, capacity: { target: 'two' } } })
  },
  async Unauthenticated (t) {
    const { ask } = await startFor(t)
    return ask('GET', groups, { token: null })
  },
  async Forbidden (t) {
    const { ask } = await startFor(t)
    return ask('POST', groups, { body: group, token: hashSync(portal.keys[0], 4) })
  },
  async NotFound (t) {
    const { ask } = await startFor(t)
    return ask('GET', `${groups}/sig-00000000`)
  },
  async Conflict (t) {
    const { ask, create, sandbox } = await startFor(t)
    const location = await create()
    sandbox.clock.advance(15 * 60_000)
    await ask('POST', `${location}/rolls`, { body: { batchSizePercentage: 50, gracePeriod: 60 } })
    return ask('PUT', location, { body: { description: 'meanwhile' } })
  },
  async DryRun (t) {
    const { ask, create } = await startFor(t)
    return ask('PUT', `${await create()}/capacity?dryRun=true`, { body: { target: 3 } })
  },
  'DryRunOrPreconditionFailed dryRun': (t) => cases.DryRun?.(t) as Promise<Reply>,
  async 'DryRunOrPreconditionFailed precondition' (t) {
    const { ask, create } = await startFor(t)
    return ask('PUT', await create(), { body: { name: 'api' }, headers: { 'if-match': '"an-earlier-one"' } })
  },
  async ContentTooLarge (t) {
    const { ask } = await startFor(t)
    return ask('POST', groups, { body: { ...group, description: 'x'.repeat(1024 * 1024) } })
  },
  async UriTooLong (t) {
    const { ask } = await startFor(t)
    return ask('GET', `${groups}?name=${'x'.repeat(8192)}`)
  },
  async UnsupportedMediaType (t) {
    const { ask } = await startFor(t)
    return ask('POST', groups, { body: 'name: web', headers: { 'content-type': 'application/yaml' } })
  },
  async Unprocessable (t) {
    const { ask } = await startFor(t, { maxCapacity: 20 })
    return ask('POST', groups, { body: tooLarge })
  },
  'UnprocessableWithKey guardrail': (t) => cases.Unprocessable?.(t) as Promise<Reply>,
  async 'UnprocessableWithKey key' (t) {
    const { ask } = await startFor(t)
    const headers = { 'idempotency-key': 'one' }
    // The state opens with its first use, which a busy machine may not do in time.
    await until(async () => (await ask('POST', groups, { body: group, headers })).status === 201)
    return ask('POST', groups, { body: { ...group, name: 'api' }, headers })
  },
  async TooManyRequests (t) {
    const { ask, sandbox } = await startFor(t)
    sandbox.faults.inject({ status: 429, times: Infinity })
    return ask('GET', groups)
  },
  async InternalError (t) {
    const { ask, app } = await startFor(t)
    app.spot.account = () => { throw new TypeError('a bug') }
    return ask('GET', groups)
  },
  async BadGateway (t) {
    const { request } = await startGateway(t, { endpoint: 'http://127.0.0.1:1' })
    return request('GET', groups, { headers: { 'x-request-id': '4f1c' } })
  },
  async Unavailable (t) {
    const { request } = await startGateway(t, { configuration: { maxRequests: 0 } })
    return request('GET', groups, { headers: { 'x-request-id': '4f1c' } })
  },
  async GatewayTimeout (t) {
    const { ask, sandbox } = await startFor(t)
    sandbox.faults.inject({ method: 'POST', kind: 'reset' })
    return ask('POST', groups, { body: group })
  }
}

/** The reply with the ids, tag, address and limit that the examples have. */
const asShown = ({ json }: Reply) => JSON.parse(JSON.stringify(json)
  .replace(/[\w-]{27}(?=\\")/g, 'vGJcSGOCqgWNvuMkxRXNiZ4nTeM')
  .replace(/sig-(?!00000000)[\da-f]{8}/g, 'sig-0f3ac1d2')
  .replace(/sbgd-[\da-f]{8}/g, 'sbgd-1a2b3c4d')
  .replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, '7f0d3a52-5a1e-4c6b-9f0e-2b1c8d4e6a90')
  .replace(/http:\/\/127\.0\.0\.1:\d{2,}/g, 'https://api.spotinst.io')
  .replace('"0 requests', '"1000 requests'))

t.test('every example of a problem in the document is what the server answers', async (t) => {
  t.strictSame(examples.map(([name]) => name).sort(), Object.keys(cases).sort(), 'each has a case')
  for (const [name, example] of examples) {
    await t.test(name, async (t) => {
      const reply = await (cases[name] as (t: Test) => Promise<Reply>)(t)
      t.strictSame(asShown(reply), example)
    })
  }
})
