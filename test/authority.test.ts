import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashSync } from '@node-rs/bcrypt'
import t, { type Test } from 'tap'
import { document, operationsOf } from '../openapi/document.js'
import type { Client } from '../services/access/clients.js'
import { owner } from '../services/configuration/index.js'
import type { Guardrails } from '../services/guardrails/index.js'
import { ACCOUNT, KEY, start, type Reply } from './helper.js'
import { testDirectory } from './test-directory.js'
import { validCall } from './valid-calls.js'

/*
 * Attacks of callers that want more than they were given: what each of them sends, and what must come of it.
 */

type Json = Record<string, unknown>

const names = ['reader', 'writer', 'deleter', 'admin'] as const
type Caller = typeof names[number]

const keyOf = (name: string) => `the-key-of-${name}-0`
const tokens = Object.fromEntries(names.map((name) => [name, hashSync(keyOf(name), 4)])) as Record<Caller, string>
const rights: Record<Caller, Pick<Client, 'access' | 'allowDelete'>> = {
  reader: { access: 'read', allowDelete: false },
  writer: { access: 'write', allowDelete: false },
  deleter: { access: 'write', allowDelete: true },
  admin: { access: 'admin', allowDelete: true }
}
const client = (name: Caller): Client => ({ name, keys: [keyOf(name)], accounts: ['*'], ...rights[name] })

const { examples } = document.components as unknown as { examples: Record<string, { value: Json }> }
const group = examples.ElastigroupCreate?.value as Json
const instance = examples.ManagedInstanceCreate?.value as Json

/** A gateway with a client of each kind, an audit, and a Spot that has a group and a managed instance. */
async function startFor (t: Test, guardrails?: Guardrails, { rateLimit = 1_000_000 } = {}) {
  const account = { id: 'act-5a9db0c5', token: 'vendor-token-for-tests' }
  const { sandbox } = await start(t, { sandbox: { accounts: [account], rateLimit } })
  const file = join(testDirectory(t), 'audit.log')
  const gateway = await start(t, {
    configuration: {
      accounts: { [ACCOUNT]: { ...account, endpoint: sandbox.url, ...guardrails && { guardrails } } },
      clients: [owner(KEY), ...names.map(client)],
      audit: { file }
    }
  })
  const audit = (): Json[] => readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line))
  const base = `/v1/spot/${ACCOUNT}`
  return {
    ...gateway,
    sandbox,
    as: (caller: Caller, method: string, path: string, body?: unknown): Promise<Reply> =>
      gateway.request(method, `${base}/${path}`, {
        body, token: null, headers: { 'x-auth-token': tokens[caller], 'x-auth-client': caller }
      }),
    /** Makes one of these and returns its id. */
    make: async (noun: 'elastigroups' | 'instances', body: Json): Promise<string> =>
      (await gateway.request('POST', `${base}/${noun}`, { body })).json.id,
    /** Calls to Spot since the last look; writes only, unless all are wanted. */
    calls: (all = false) => sandbox.transcript.splice(0).filter(({ method }) => all || method !== 'GET'),
    lastLine: () => audit().at(-1) as Json & { changes: { pointer: string, value: unknown }[] }
  }
}

t.test('a body where none belongs is refused, with the query parameters to use', async (t) => {
  const { as, calls, make, lastLine } = await startFor(t)
  const id = await make('elastigroups', group)
  const smi = await make('instances', instance)
  calls()
  const rows: [method: string, path: string, body: unknown, hint: RegExp][] = [
    ['DELETE', `elastigroups/${id}`, { statefulDeallocation: { shouldDeleteVolumes: false } }, /shouldDeleteVolumes/],
    ['DELETE', `instances/${smi}`, { shouldTerminateInstance: false }, /shouldTerminateInstance/],
    ['POST', `elastigroups/${id}/scale/up`, { adjustment: 3 }, /query parameter adjustment/],
    ['POST', `elastigroups/${id}/scale/down`, { adjustment: 3 }, /query parameter adjustment/],
    ['POST', `instances/${smi}/pause`, [], /Leave the body out/],
    ['POST', `instances/${smi}/pause`, null, /Leave the body out/],
    ['POST', `instances/${smi}/pause`, 0, /Leave the body out/]
  ]
  for (const [method, path, body, hint] of rows) {
    const what = `${method} ${path} ${JSON.stringify(body)}`
    const { status, json } = await as('admin', method, path, body)
    t.match({ status, json }, { status: 400, json: { type: /invalid-request/, hint, errors: [{ pointer: '#' }] } }, what)
    t.strictSame([calls(), lastLine().changes], [[], []], 'nothing is sent, and nothing is claimed')
  }
})

t.test('no operation without a body takes one, and each takes an empty object', async (t) => {
  const { as, calls } = await startFor(t)
  for (const { path, method, operation } of operationsOf(document)) {
    if (method === 'get' || operation.requestBody) continue
    const { query } = validCall(operation)
    const filled = path.replace('/v1/spot/{account}/', '').replace(/\{\w+\}/g, 'x-1') + query
    t.equal((await as('admin', method.toUpperCase(), filled, { any: 1 })).status, 400, operation.operationId)
    t.equal(calls().length, 0)
    t.not((await as('admin', method.toUpperCase(), filled, {})).status, 400, `${operation.operationId} {}`)
    t.ok(calls().length > 0)
  }
})

t.test('the audit says what Spot was sent', async (t) => {
  const { as, make, lastLine, calls } = await startFor(t)
  const id = await make('elastigroups', group)
  await as('admin', 'POST', `elastigroups/${id}/scale/up`, {})
  t.match(lastLine(), { outcome: 'done', options: { adjustment: '1' }, changes: [] })
  await as('admin', 'PUT', `elastigroups/${id}`, { id: 'sig-other', description: 'new' })
  t.strictSame(lastLine().changes, [{ pointer: '#/description', value: 'new' }], 'and not what was taken out')
  calls()
  await as('admin', 'DELETE', `elastigroups/${id}?shouldDeleteVolumes=false`)
  t.match(lastLine(), { outcome: 'done', options: { shouldDeleteVolumes: false } })
  const [{ body }] = calls() as unknown as [{ body: { statefulDeallocation: Json } }]
  t.strictSame(Object.fromEntries(lastLine().changes.map(({ pointer, value }) => [pointer, value])),
    Object.fromEntries(Object.entries(body.statefulDeallocation).map(([name, value]) =>
      [`#/statefulDeallocation/${name}`, value])))
})
