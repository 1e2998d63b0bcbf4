import { readFileSync } from 'node:fs'
import createClient from 'openapi-fetch'
import t from 'tap'
import { document, operationsOf, resolve, type Reference } from '../openapi/document.js'
import { operations as table } from '../openapi/operations.js'
import { BASE, routePath } from '../openapi/paths.js'
import type { paths } from '../openapi/types.js'
import { problems, problemType, type ProblemName } from '../services/problems/index.js'
import { version } from '../services/process/release.js'
import { start, TOKEN } from './helper.js'
import { validCall } from './valid-calls.js'

const operations = operationsOf(document)
const allPaths = Object.keys(document.paths)
const page = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')

/** Paths of Fastify's route table, as OpenAPI writes them. */
function pathsOf (tree: string): string[] {
  const trail: string[] = []
  return tree.split('\n').filter(Boolean).map((line) => {
    const [, indent = '', path = ''] = /^([│├└─\s]*)(\S*)/.exec(line) ?? []
    trail.length = indent.length / 4 - 1
    trail.push(path)
    return trail.join('').replace(/:(\w+)/g, '{$1}')
  })
}

t.test('every operation of the document has a route, and every route an operation', async (t) => {
  const { app, request } = await start(t)
  const pages = ['/', BASE, `${BASE}/`]
  const routed = pathsOf(app.printRoutes({ commonPrefix: false }))
    .filter((path) => !path.startsWith('/v1/spot/docs') && !pages.includes(path))
  t.strictSame(new Set(routed), new Set(Object.keys(document.paths)))

  for (const path of Object.keys(document.paths)) {
    const here = operations.filter((operation) => operation.path === path)
    const named = here.map(({ method }) => method.toUpperCase())
    const documented = named.flatMap((method) => method === 'GET' ? ['GET', 'HEAD'] : method)
    const url = path.replace(/\{\w+\}/g, 'x')
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY']) {
      const { status, headers } = await request(method, url, { token: null })
      if (documented.includes(method)) t.ok(status === 200 || status === 401, `${method} ${path} is there`)
      else t.strictSame([status, headers.allow], [405, documented.join(', ')], `${method} ${path} is not there`)
    }
  }
})

t.test('an operation is public exactly when the document says so', async (t) => {
  const { request } = await start(t)
  for (const { path, method, operation } of operations) {
    const { status } = await request(method.toUpperCase(), path.replace(/\{\w+\}/g, 'x'), { token: null })
    t.equal(status, operation.security ? 200 : 401, operation.operationId)
  }
  const [, listed = ''] = /^No token is needed for (.*) and the docs page(?:;|\.)/m.exec(page('docs/access.md')) ?? []
  const open = operations.filter(({ operation }) => operation.security)
  t.strictSame(listed.split(', '), open.map(({ path }) => `\`${path.split('/').at(-1)}\``), 'docs/access.md lists them')
})

t.test('the table of operations says what the document and the routes do', async (t) => {
  const { app } = await start(t)
  t.strictSame(Object.keys(table), operations.map(({ operation }) => operation.operationId))
  for (const { path, method, operation, parameters } of operations) {
    const row = table[operation.operationId]
    const { operationId, noun, kind, needs, inAccount, ifMatch, ifNoneMatch, replayable, guarded, audited } = row
    const has = (...statuses: string[]) => statuses.every((status) => status in operation.responses)
    const writes = method !== 'get'
    t.strictSame(noun, operation.tags[0], operationId)
    t.equal(kind, operation.security ? 'public' : writes ? 'write' : 'read', operationId)
    t.equal(needs === null, kind === 'public', `${operationId} needs nothing exactly when it is public`)
    t.equal(needs === 'read', kind === 'read', `${operationId} needs more than reading exactly when it writes`)
    t.equal(inAccount, parameters.some(({ name }) => name === 'account'), operationId)
    t.equal(has('401'), kind !== 'public' || operation.security?.length !== 0, operationId)
    t.equal(has('403'), inAccount, operationId)
    t.equal(has('304'), ifNoneMatch, operationId)
    t.equal(ifNoneMatch, !writes && (inAccount || operationId.startsWith('getOpenApi')), operationId)
    const isRead = (other: typeof operations[number]) => other.path === path && other.operation.operationId === ifMatch
    if (ifMatch) t.ok(writes && operations.some(isRead))
    t.equal(has('412', '413', '415'), writes, operationId)
    t.equal(has('422'), guarded, `${operationId} documents what guardrails refuse`)
    t.equal(audited, writes, operationId)
    t.equal(replayable, JSON.stringify(operation.responses).includes('Idempotency-Replayed'), operationId)
    t.ok(app.hasRoute({ method: method.toUpperCase() as 'GET', url: routePath(path) }), operationId)
    t.ok(path.startsWith(`${BASE}/`), path)
  }
  const those = (is: (row: typeof table[keyof typeof table]) => boolean) =>
    Object.values(table).filter(is).map(({ operationId }) => operationId)
  t.strictSame(those(({ needs }) => needs === 'delete'),
    ['deleteElastigroup', 'deallocateStatefulInstance', 'deleteInstance', 'deleteInstanceVolume'])
  t.strictSame(those(({ replayable }) => replayable),
    ['createElastigroup', 'createRoll', 'createInstance', 'createImport'])
  t.strictSame(those(({ kind }) => kind === 'public'),
    ['ping', 'ready', 'getVersion', 'getMetrics', 'getOpenApiJson', 'getOpenApiYaml'])
})

t.test('one security scheme, and X-Auth-Client is an optional header of whatever needs a token', async (t) => {
  const { components: { securitySchemes }, security } = document as unknown as {
    components: { securitySchemes: Record<string, { name: string }> }, security: object[]
  }
  t.strictSame(Object.values(securitySchemes).map(({ name }) => name), ['X-Auth-Token'])
  t.strictSame(security, [{ authToken: [] }])
  for (const { operation: { operationId, security }, parameters } of operations) {
    const [header, ...more] = parameters.filter(({ name }) => name === 'X-Auth-Client')
    t.strictSame(more, [], operationId)
    if (security?.length === 0) t.equal(header, undefined, operationId)
    else t.match(header, { in: 'header', required: undefined, description: /an empty one counts as none/i }, operationId)
  }
  const { request } = await start(t)
  for (const [name, status] of [['', 200], ['default', 200], ['nobody', 401], ['x'.repeat(129), 401]] as const) {
    const reply = await request('GET', '/v1/spot/whoami', { headers: { 'x-auth-client': name } })
    t.equal(reply.status, status, `X-Auth-Client: ${name.slice(0, 10)}`)
  }
})

t.test('a create links to every operation on what it made, and the links lead there', async (t) => {
  const { request } = await start(t)
  const creates = operations.filter(({ operation }) => operation.responses['201'])
  t.strictSame(creates.map(({ operation }) => operation.operationId), Object.values(table)
    .filter(({ replayable }) => replayable).map(({ operationId }) => operationId))
  const ids: Record<string, string> = { account: 'demo' }
  for (const { path, operation } of creates) {
    const [, id = ''] = allPaths.map((each) => each.replace(path, '')).join().match(/(?:^|,)\/\{(\w+)\}/) ?? []
    const one = `${path}/{${id}}`
    const filled = (path: string) => path.replace(/\{(\w+)\}/g, (_, name) => ids[name] as string)
    // What was made a moment ago has no instances yet, so there is nothing to roll.
    if (id === 'roll') ids.elastigroup = (await request('GET', '/v1/spot/demo/elastigroups')).json[0].id
    const created = await request('POST', filled(path), { body: validCall(operation).body })
    t.equal(created.status, 201)
    const property = id === 'import' ? 'migrationId' : 'id'
    ids[id] = created.json[property]

    const { links } = resolve(operation.responses['201'] as { links: Record<string, object> })
    const follow = operations.filter(({ path }) => path.startsWith(one) && !path.slice(one.length).includes('{'))
    t.strictSame(links, Object.fromEntries(follow.map(({ path, operation: { operationId } }) => [operationId, {
      operationId,
      parameters: Object.fromEntries([...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) =>
        [name, name === id ? `$response.body#/${property}` : `$request.path.${name}`]))
    }])), operation.operationId)
    for (const { path } of follow.filter(({ method }) => method === 'get')) {
      t.equal((await request('GET', filled(path))).status, 200, path)
    }
  }
})

t.test('the code, the document and docs/errors.md have the same problems', async (t) => {
  const names = Object.keys(problems) as ProblemName[]
  const { enum: inContract } = document.components.schemas.ProblemType as { enum: string[] }
  t.strictSame(inContract.toSorted(), names.map(problemType).toSorted())

  const rows = [...page('docs/errors.md').matchAll(/^\| `([a-z-]+)` \| (\d{3}) \|/gm)]
    .map(([, name, status]) => [name, Number(status)])
  t.strictSame(rows.toSorted(), names.map((name) => [name, problems[name].status]).toSorted())
})

t.test('the README lists the endpoints of the document', async (t) => {
  const rows = [...page('README.md').matchAll(/^\| `(GET|POST|PUT|DELETE) (\/v1\/spot\/\S+)` \| `(\w+)` \|/gm)]
  const inReadme = rows.map(([, method, path, operationId]) => `${method} ${path} ${operationId}`)
  const inContract = operations.map(({ method, path, operation }) =>
    `${method.toUpperCase()} ${path} ${operation.operationId}`)
  t.strictSame(inReadme, inContract, 'in the same order')
})

t.test('the document has the version of the server, and links to pages that are there', async (t) => {
  const { info } = document as unknown as { info: { version: string, description: string } }
  t.equal(info.version, version)
  t.ok(info.description.length < 500, 'what heads every generated file is short')
  const links = [...JSON.stringify(document).matchAll(/\/blob\/master\/(docs\/[a-z]+\.md)/g)].map(([, path = '']) => path)
  t.ok(links.length > 3)
  for (const path of links) t.ok(page(path), path)
})

t.test('every operation has a name of its own, one tag, and only named schemas', async (t) => {
  const names = operations.map(({ operation }) => operation.operationId)
  t.equal(new Set(names).size, names.length)
  for (const { operation } of operations) {
    t.match(operation.operationId, /^[a-z][A-Za-z]+$/)
    t.equal(operation.tags.length, 1, operation.operationId)
  }
  for (const schema of schemasIn(operations.map(({ operation }) => operation))) {
    t.match((schema as Reference).$ref, /^#\/components\/schemas\/\w+$/)
  }
})

t.test('the document is served unchanged, as JSON and as YAML', async (t) => {
  const { request } = await start(t)
  const { parse } = await import('yaml')
  t.strictSame((await request('GET', '/v1/spot/openapi.json')).json, document)
  t.strictSame(parse((await request('GET', '/v1/spot/openapi.yaml')).text), document)
  const served = await request('GET', '/v1/spot/docs/json')
  t.strictSame(served.json, document, 'and the docs page draws the same one')
})

t.test('a client made of the generated types creates, reads, updates and deletes', async (t) => {
  const { url } = await start(t)
  const spot = createClient<paths>({ baseUrl: url, headers: { 'X-Auth-Token': TOKEN } })
  const account = 'demo'

  const created = await spot.POST('/v1/spot/{account}/elastigroups', {
    params: { path: { account } },
    body: {
      name: 'typed',
      strategy: { risk: 100, onDemandCount: null },
      capacity: { minimum: 0, target: 1, maximum: 2 },
      compute: { product: 'Linux/UNIX', instanceTypes: { ondemand: 't3.micro', spot: ['t3.micro'] } }
    }
  })
  t.equal(created.response.status, 201)
  const elastigroup: string = created.data?.id ?? ''
  const one = { params: { path: { account, elastigroup } } }

  const read = await spot.GET('/v1/spot/{account}/elastigroups/{elastigroup}', one)
  const risk: number | null | undefined = read.data?.strategy?.risk
  t.equal(risk, 100)

  const updated = await spot.PUT('/v1/spot/{account}/elastigroups/{elastigroup}', {
    ...one, body: { description: null, capacity: { target: 2 } }
  })
  t.equal(updated.data?.capacity?.target, 2)
  t.equal(updated.data?.capacity?.maximum, 2, 'the rest stayed')

  const listed = await spot.GET('/v1/spot/{account}/elastigroups', { params: { path: { account } } })
  const target: number | null | undefined = listed.data?.find(({ id }) => id === elastigroup)?.capacity.target
  t.equal(target, 2)

  const deleted = await spot.DELETE('/v1/spot/{account}/elastigroups/{elastigroup}', {
    params: { ...one.params, query: { shouldDeleteVolumes: false } }
  })
  t.equal(deleted.response.status, 204)

  const gone = await spot.GET('/v1/spot/{account}/elastigroups/{elastigroup}', one)
  t.equal(gone.error?.type, 'urn:problem-type:spot-api:resource-not-found', 'errors are typed as well')
})

/** Schemas that stand right under a media type, wherever. */
function schemasIn (value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return []
  const own = 'content' in value
    ? Object.values(value.content as Record<string, { schema: object }>).map(({ schema }) => schema)
    : []
  return [...own, ...Object.values(value).flatMap(schemasIn)]
}
