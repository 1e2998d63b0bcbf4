import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { BROKEN_RULE, realClock, startSandbox, stoppedClock } from '../sandbox/index.js'
import type { SandboxOptions } from '../sandbox/index.js'
import {
  group, managedInstance, migration, MIGRATION, ROLL, START, startClient, statefulGroup
} from './sandbox-client.js'
import type { Client } from './sandbox-client.js'
import { testDirectory } from './test-directory.js'
import { until } from './until.js'

/** Asks a sandbox itself, as a test suite in any language does. */
async function control (sandbox: { url: string }, method: string, path: string, body?: unknown) {
  const response = await fetch(`${sandbox.url}/_sandbox${path}`, {
    method, ...body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, json: text === '' ? undefined : JSON.parse(text) }
}

/** One of everything that the sandbox keeps, most of it on its way to something else. */
async function populate (client: Client): Promise<void> {
  const path = await client.grow(group({ scaling: { up: [{ policyName: 'busy' }, { policyName: 'idle' }] } }))
  const [first, second] = await client.get(`${path}/status`)
  await client.call('POST', `/aws/ec2/instance/${first?.instanceId}/lock`)
  await client.call('POST', `/aws/ec2/instance/${second?.instanceId}/lock?ttlInMinutes=1`)
  await client.call('POST', `${path}/suspension`, { processes: ['AUTO_SCALE'] })
  await client.call('POST', `${path}/suspension`, { suspensions: [{ name: 'SCHEDULING', ttlInMinutes: 1 }] })
  await client.call('POST', `${path}/scale/suspendPolicy?policyName=busy`)
  await client.call('POST', `${path}/scale/suspendPolicy?policyName=idle`, { suspension: { ttlInMinutes: 1 } })
  const itf = { loadBalancers: [{ listenerRules: [{ ruleArn: BROKEN_RULE }] }] }
  await client.call('PUT', path, { group: { compute: { launchSpecification: { itf } } } })
  await client.call('PUT', `${path}/detachInstances`, {
    instancesToDetach: [first?.instanceId], shouldTerminateInstances: true, drainingTimeout: 90
  })
  const onFailure = { actionType: 'DETACH_NEW' }
  await client.call('PUT', `${path}/roll`, { ...ROLL, strategy: { onFailure, batchMinHealthyPercentage: 100 } })
  const deployed = await client.grow(group())
  await client.call('POST', `${deployed}/codeDeploy/blueGreenDeployment`, { deployment: { timeout: 1 } })
  const stateful = `${await client.grow(statefulGroup())}/statefulInstance`
  const instances = await client.get(stateful)
  for (const [index, verb] of ['pause', 'recycle', 'deallocate'].entries()) {
    await client.call('PUT', `${stateful}/${instances[index]?.id}/${verb}`)
  }
  const managed = await client.grow(managedInstance({ name: '__proto__' }))
  await client.call('PUT', `${managed}/recycle`)
  await client.call('PUT', `${await client.grow(managedInstance())}/pause`)
  await client.call('DELETE', await client.grow(group({ name: 'gone' })))
  await client.call('POST', MIGRATION, { migration: migration('i-1') })
  for (const [originalInstanceId, shouldTerminateInstance] of [['i-2', true], ['i-3', false]] as const) {
    await client.call('POST', '/aws/ec2/statefulMigrationGroup', {
      statefulMigrationGroup: { originalInstanceId, name: 'moved', shouldKeepPrivateIp: true, shouldTerminateInstance }
    })
  }
}

t.test('a state that is put into another sandbox has the same future', async (t) => {
  const one = await startClient(t)
  await populate(one)
  const two = await startClient(t)
  const snapshot = (await control(one, 'GET', '/state')).json
  t.equal((await control(two, 'PUT', '/state', snapshot)).status, 204)
  t.equal(two.clock.now(), one.clock.now(), 'and the same time')
  for (const seconds of [0, 5, 20, 40, 60, 300, 3600]) {
    for (const client of [one, two]) {
      client.pass(seconds)
      // A call runs what has come due.
      await client.get('/aws/ec2/group')
    }
    const [mine, theirs] = await Promise.all([one, two].map((client) => control(client, 'GET', '/state')))
    t.strictSame(theirs?.json, mine?.json, `after ${seconds} more seconds`)
  }
})

t.test('a state in an account of another name, or from the past', async (t) => {
  const sandbox = await startClient(t)
  const { json } = await control(sandbox, 'GET', '/state')
  const path = await sandbox.grow(group())
  const later = sandbox.clock.now()
  t.equal((await control(sandbox, 'PUT', '/state', json)).status, 204)
  t.equal(sandbox.clock.now(), later, 'time never goes back')
  t.equal((await sandbox.call('GET', path)).errors[0]?.code, 'GROUP_DOESNT_EXIST')
})

const start = async (t: Tap, options: SandboxOptions) => {
  const sandbox = await startSandbox({ clock: stoppedClock(START), ...options })
  t.teardown(() => sandbox.close())
  return sandbox
}
type Tap = Parameters<typeof startClient>[0]

t.test('a state is kept in a file, after each change and at the end', async (t) => {
  const folder = testDirectory(t)
  const stateFile = join(folder, 'state.json')
  const read = () => JSON.parse(readFileSync(stateFile, 'utf8'))
  const living = `state.json.${process.ppid}.tmp`
  for (const draft of [living, 'state.json.99999999.tmp']) writeFileSync(join(folder, draft), '{')
  const first = await startClient(t, { stateFile, seed: true })
  t.strictSame(readdirSync(folder).sort(), ['state.json', living], 'what a killed process left is removed')
  t.equal(read().accounts[0].groups.length, 4, 'at the start')
  const path = await first.grow(group({ name: 'kept' }))
  await until(() => read().accounts[0].groups.length === 5)
  first.pass(3600)
  await first.close()
  t.strictSame(readdirSync(folder).sort(), ['state.json', living], 'no draft is left')
  t.equal(read().now, first.clock.now(), 'the time of the end')
  const second = await startClient(t, { stateFile, seed: true, accounts: first.accounts })
  t.match(await second.get(path), [{ name: 'kept' }])
  t.equal(second.clock.now(), START + 3_700_000, 'the clock goes on where it was')
  t.equal((await second.get('/aws/ec2/group')).length, 5)
})

t.test('a state that cannot be used is said to be, and is not touched', async (t) => {
  const content: [string, string, RegExp][] = [
    ['no JSON', '{"version": 1,', /^The state \S+ cannot be used: .*JSON.*Mend it, or move it away to start anew\.$/],
    ['another version', '{"version": 2, "now": 0, "accounts": []}', /\/version must be equal to constant/],
    ['nothing', '', /cannot be used/],
    ['a list', '[]', /The whole must be object/],
    ['a word too much', '{"version": 1, "now": 0, "accounts": [], "more": 1}', /must NOT have additional properties: more/],
    ['a task that there is not', JSON.stringify({
      version: 1,
      now: 0,
      accounts: [{
        id: 'act-1',
        agenda: [{ at: 0, task: 'dance', ids: [] }],
        groups: [],
        deletedGroups: [],
        managedInstances: [],
        migrations: [],
        statefulImports: []
      }]
    }), /\/accounts\/0\/agenda\/0\/task must be equal to one of the allowed values: instanceRuns,/]
  ]
  for (const [name, text, message] of content) {
    const stateFile = join(t.testdir({ 'state.json': text }), 'state.json')
    await t.rejects(start(t, { stateFile }), { name: 'StateError', message }, name)
    t.equal(readFileSync(stateFile, 'utf8'), text, `${name}: untouched`)
  }
  const folder = t.testdir({})
  const missing = join(folder, 'none', 'state.json')
  await t.rejects(start(t, { stateFile: missing }), { name: 'StateError', message: /cannot be written \(ENOENT\)/ })
  await t.rejects(start(t, { stateFile: folder }), { name: 'StateError', message: /cannot be read \(EISDIR\)/ })
})

t.test('a machine that is named but missing is found', async (t) => {
  const sandbox = await startClient(t)
  await sandbox.grow(statefulGroup())
  const { json } = await control(sandbox, 'GET', '/state')
  json.accounts[0].groups[0].statefulInstances[1].instanceId = 'i-0'
  const answer = await control(sandbox, 'PUT', '/state', json)
  t.equal(answer.status, 400)
  t.equal(answer.json.detail, '/accounts/0/groups/0/statefulInstances/1 names i-0, which is not in the group')
  t.equal((await sandbox.get('/aws/ec2/group')).length, 1, 'nothing was changed')
})

t.test('a test suite starts anew, or with its own state', async (t) => {
  const sandbox = await startClient(t, { seed: true, rateLimit: 3 })
  await sandbox.create('/aws/ec2/group', group())
  sandbox.faults.inject({ times: 9, status: 503 })
  t.equal((await sandbox.call('GET', '/aws/ec2/group')).status, 503)
  t.equal((await control(sandbox, 'DELETE', '')).status, 204)
  t.strictSame((await control(sandbox, 'GET', '/calls')).json, [])
  t.strictSame((await control(sandbox, 'GET', '/faults')).json, [])
  const { status, items, headers } = await sandbox.call('GET', '/aws/ec2/group')
  t.match({ status, count: items.length }, { status: 200, count: 4 }, 'the samples are back')
  t.equal(headers.get('x-ratelimit-remaining'), '2', 'and the whole limit')
  await sandbox.call('DELETE', '/aws/ec2/group/sig-0f3ac1d2')
  t.equal((await control(sandbox, 'DELETE', '/state')).status, 204)
  t.equal((await sandbox.call('GET', '/aws/ec2/group/sig-0f3ac1d2')).status, 200)
})

t.test('faults are ordered over HTTP', async (t) => {
  const sandbox = await startClient(t)
  const list = () => sandbox.call('GET', '/aws/ec2/group')
  const errors = [{ code: 'RequestLimitExceeded', message: 'Request limit exceeded.' }]
  t.equal((await control(sandbox, 'POST', '/faults', { path: '/aws/ec2/group', errors, times: 2 })).status, 204)
  t.equal((await control(sandbox, 'POST', '/faults', { pathPattern: 'group$', status: 503 })).status, 204)
  t.match(await list(), { status: 400, errors })
  t.strictSame((await control(sandbox, 'GET', '/faults')).json, [
    { path: '/aws/ec2/group', errors, times: 2, left: 1 }, { pathPattern: 'group$', status: 503, left: 1 }
  ])
  t.equal((await control(sandbox, 'PUT', '/faults', [{ status: 502 }])).status, 204)
  t.equal((await list()).status, 502)
  t.equal((await list()).status, 200)
  await control(sandbox, 'POST', '/faults', { status: 503 })
  t.equal((await control(sandbox, 'DELETE', '/faults')).status, 204)
  t.equal((await list()).status, 200)
})

t.test('time passes on request', async (t) => {
  const sandbox = await startClient(t)
  const path = await sandbox.grow(group())
  const { items: [roll] } = await sandbox.call('PUT', `${path}/roll`, ROLL)
  const { status, json } = await control(sandbox, 'POST', '/clock', { advanceSeconds: 3600 })
  t.strictSame({ status, json }, { status: 200, json: (await control(sandbox, 'GET', '/clock')).json })
  t.equal(Date.parse(json.now), sandbox.clock.now())
  t.match(await sandbox.get(`${path}/roll/${roll?.id}`), [{ status: 'finished' }])
  for (const clock of [sandbox.clock, realClock()]) {
    clock.advance(1e300)
    t.equal(new Date(clock.now()).toISOString(), '9999-12-31T23:59:59.999Z', 'it ends with the last date of RFC 3339')
  }
})

t.test('the calls that came in are shown, without their tokens', async (t) => {
  const sandbox = await startClient(t)
  await sandbox.call('POST', '/aws/ec2/group', { group: {} })
  const { json, headers } = await control(sandbox, 'GET', '/calls')
  t.match(headers.get('content-type'), /^application\/json/)
  t.match(json, [{
    method: 'POST',
    path: '/aws/ec2/group',
    query: { accountId: 'act-5a9db0c5' },
    body: { group: {} },
    status: 400,
    at: START
  }])
  t.notOk(JSON.stringify(json).includes(sandbox.accounts[0]?.token ?? ''))
  t.equal((await control(sandbox, 'DELETE', '/calls')).status, 204)
  t.strictSame((await control(sandbox, 'GET', '/calls')).json, [])
})

t.test('what cannot be done is refused, and says why', async (t) => {
  const sandbox = await startClient(t)
  const cases: [string, string, unknown, number, RegExp][] = [
    ['PUT', '/state', '{', 400, /^The body is not valid JSON: /],
    ['PUT', '/state', undefined, 400, /^The body is not valid JSON: /],
    ['PUT', '/state', { version: 1, now: 'soon', accounts: [] }, 400, /^\/now must be number$/],
    ['PUT', '/state', { version: 2, now: 0, accounts: [] }, 400, /^\/version must be equal to constant: 1$/],
    ['PUT', '/state', { version: 1, now: 1e300, accounts: [] }, 400, /^\/now must be <= 253402300799999$/],
    ['POST', '/faults', { status: 1 }, 400, /^\/0\/status must be >= 200$/],
    ['POST', '/faults', { pathPattern: '(' }, 400, /^\/0\/pathPattern is not a regular expression$/],
    ['POST', '/faults', { pathPattern: 'x', path: '/' }, 400, /^\/0 has path and pathPattern: leave one out$/],
    ['POST', '/faults', { latency: 1e12 }, 400, /^\/0\/latency must be <= 2147483647$/],
    ['POST', '/faults', { headers: { 'x y': '' } }, 400, /^\/0\/headers: Header name must be a valid HTTP token \["x y"\]$/],
    ['POST', '/faults', { headers: { x: '\n' } }, 400, /^\/0\/headers: Invalid character in header content \["x"\]$/],
    ['PUT', '/faults', { status: 503 }, 400, /^The whole must be array$/],
    ['PUT', '/faults', [{ sort: 'hang' }], 400, /^\/0 must NOT have additional properties: sort$/],
    ['POST', '/clock', { advanceSeconds: -1 }, 400, /^\/advanceSeconds must be >= 0$/],
    ['DELETE', '/clock', undefined, 405, /^Allowed here: GET, POST$/],
    ['GET', '', undefined, 405, /^Allowed here: DELETE$/],
    ['GET', '/clocks', undefined, 404, /\/_sandbox\/state, \/_sandbox\/faults/]
  ]
  for (const [method, path, body, status, detail] of cases) {
    const answer = await control(sandbox, method, path, body)
    t.match({ ...answer, type: answer.headers.get('content-type') }, {
      status, json: { status, title: String, detail }, type: /^application\/problem\+json/
    }, `${method} ${path} ${JSON.stringify(body)}`)
    t.equal(answer.headers.get('allow'), status === 405 ? /: (.*)\$/.exec(detail.source)?.[1] : null)
  }
  t.strictSame(sandbox.transcript, [], 'no call of these is recorded')
})

t.test('the page has what can be asked of a sandbox', async (t) => {
  const sandbox = await startClient(t)
  const page = readFileSync(new URL('../docs/sandbox.md', import.meta.url), 'utf8')
  const documented: Record<string, string[]> = {}
  for (const [, cell = ''] of page.matchAll(/^\| (`[^|]*\/_sandbox[^|]*) \|/gm)) {
    const path = /\/_sandbox([^`]*)/.exec(cell)?.[1] ?? ''
    documented[path] = [...documented[path] ?? [], ...cell.match(/[A-Z]+/g) ?? []]
  }
  t.strictSame(Object.keys(documented), ['', '/state', '/faults', '/clock', '/calls'])
  for (const [path, methods] of Object.entries(documented)) {
    const { headers } = await control(sandbox, 'PATCH', path)
    t.strictSame(headers.get('allow')?.split(', ').sort(), methods.sort(), `/_sandbox${path}`)
  }
})

t.test('any token opens every account, if the sandbox takes any', async (t) => {
  const sandbox = await startClient(t, {
    takesAnyToken: true, rateLimit: 1, accounts: [{ id: 'act-1', token: 'any' }, { id: 'act-2', token: 'any' }]
  })
  const ask = async (id: string, headers: Record<string, string>) => {
    const { status, errors } = await sandbox.call('GET', `/aws/ec2/group?accountId=${id}`, undefined, { headers })
    return [status, errors[0]?.code]
  }
  t.strictSame(await ask('act-1', { authorization: 'Bearer one' }), [200, undefined])
  t.strictSame(await ask('act-2', { authorization: 'Bearer two' }), [200, undefined], 'each has a limit of its own')
  t.strictSame(await ask('act-2', { authorization: 'Bearer two' }), [429, undefined])
  t.strictSame(await ask('act-3', { authorization: 'Bearer three' }), [403, 'Forbidden'])
  t.strictSame(await ask('act-1', {}), [401, 'Unauthorized'])
})

t.test('each call is a line of the log, answered or not', async (t) => {
  const lines: string[] = []
  const sandbox = await startClient(t, { log: (line) => lines.push(line) })
  sandbox.faults.inject({ method: 'POST', kind: 'reset' })
  await sandbox.call('GET', '/aws/ec2/group')
  await t.rejects(sandbox.call('POST', '/aws/ec2/group', group()))
  await until(() => lines.length === 2)
  t.match(lines, [
    /^2026-03-10T12:00:00\.000Z GET \/aws\/ec2\/group\?accountId=act-5a9db0c5 200 \d+ ms$/,
    /^2026-03-10T12:00:00\.000Z POST \/aws\/ec2\/group\?accountId=act-5a9db0c5 no answer \d+ ms$/
  ])
})

t.test('the clock runs as fast as it is wanted to', async (t) => {
  const { clock } = await startSandbox({ speed: 1e6 }).then((sandbox) => {
    t.teardown(() => sandbox.close())
    return sandbox
  })
  const began = clock.now()
  await until(() => clock.now() - began > 60_000)
  t.ok(clock.now() > Date.now())
})
