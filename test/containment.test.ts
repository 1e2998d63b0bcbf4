import t from 'tap'
import { document, operationsOf } from '../openapi/document.js'
import { problemType } from '../services/problems/index.js'
import { targetOf } from '../services/spot/wire/target.js'
import { ACCOUNT, start } from './helper.js'
import { validCall } from './valid-calls.js'

/** What a caller may write where a name or an id stands. None of it is one. */
const hostile = [
  '.', '..', '...', '\\', '..\\', 'a\\b', '%5c', '%5c..%5c', '%2e', '%2e%2e', '%2E%2e%2f', '%2f', '%2F..%2f', '..%2f..',
  '%252f', '%252e%252e', '%25', 'a/../b', 'a/b', '/', '//', '//name.invalid', 'http:%2f%2fname.invalid', '~', '!', '^',
  '?x=1', '%3fx=1', '#', '#a', '%23', ';', ';a=b', 'a;b', '@', 'a@b', ':', ':80', '&accountId=act-1', 'a=b', ',', '`',
  '%00', 'a%00', '%0d%0a', 'a%0d%0aHost:%20b', '%09', 'a%0a', 'a%20b', '%20', '+', '*', '(', '[', '{', '{a}', '%7b%7d',
  '$', '"', "'", '<', '|', '%ff', '%c3%28', '%c0%ae%c0%ae', '%u002e', '%', '%2', '%zz', 'ä', '\u00ff', '%C3%A4',
  '%E2%80%AE', '%EF%BC%8F', '__proto__', '%5f%5fproto%5f%5f', '_', '-', '-a', '_a', 'sig-00000001%0a',
  'sig-00000001%00.json', 'sig-00000001.json', 'sig-00000001%2f', 'a'.repeat(129), '%61'.repeat(129),
  'a'.repeat(10_000), '%2e'.repeat(2000)
]
/** Words of the right form that a careless lookup would find in any object. */
const inherited = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', 'isPrototypeOf', 'prototype', 'length']
/** Words where Spot has paths beside those of the ids. */
const taken = ['autoScalingGroup', 'instance', 'migration', 'state', '%73tate']

const operations = operationsOf(document).filter(({ path }) => path.includes('{'))
const ids: Record<string, string> = {
  account: ACCOUNT,
  elastigroup: 'sig-0000abcd',
  instance: 'smi-0000abcd',
  roll: 'sbgd-0000abcd',
  statefulInstance: 'ssi-0000abcd',
  ec2Instance: 'i-0000abcd',
  volume: 'vol-0000abcd',
  import: 'smg-0000abcd'
}
/** What is asked before an instance of a group is changed: whether it is one. */
const MEMBERS = 'GET group/{elastigroup}/status'
/** Spot's own path where it is not called as ours is. */
const upstream: Record<string, string> = {
  getElastigroupReadiness: 'GET group/{elastigroup}',
  getElastigroupHealth: 'GET group/{elastigroup}/instanceHealthiness',
  getElastigroupCapacity: 'GET group/{elastigroup}',
  scaleUpElastigroup: 'PUT group/{elastigroup}/scale/up',
  scaleDownElastigroup: 'PUT group/{elastigroup}/scale/down',
  detachInstances: 'PUT group/{elastigroup}/detachInstances',
  listSuspensions: 'GET group/{elastigroup}/suspension',
  createSuspensions: 'POST group/{elastigroup}/suspension',
  deleteSuspensions: 'DELETE group/{elastigroup}/suspension',
  listRolls: 'GET group/{elastigroup}/roll',
  createRoll: 'PUT group/{elastigroup}/roll',
  getRoll: 'GET group/{elastigroup}/roll/{roll}',
  stopRoll: 'PUT group/{elastigroup}/roll/{roll}',
  getRollStatus: 'GET group/{elastigroup}/roll/{roll}/status',
  createRollAction: 'POST group/{elastigroup}/roll/{roll}/action',
  listStatefulInstances: 'GET group/{elastigroup}/statefulInstance',
  pauseStatefulInstance: 'PUT group/{elastigroup}/statefulInstance/{statefulInstance}/pause',
  resumeStatefulInstance: 'PUT group/{elastigroup}/statefulInstance/{statefulInstance}/resume',
  recycleStatefulInstance: 'PUT group/{elastigroup}/statefulInstance/{statefulInstance}/recycle',
  deallocateStatefulInstance: 'PUT group/{elastigroup}/statefulInstance/{statefulInstance}/deallocate',
  lockElastigroupInstance: MEMBERS,
  unlockElastigroupInstance: MEMBERS,
  enterElastigroupInstanceStandby: MEMBERS,
  exitElastigroupInstanceStandby: MEMBERS,
  getInstanceReadiness: 'GET managedInstance/{instance}/status',
  pauseInstance: 'PUT managedInstance/{instance}/pause',
  resumeInstance: 'PUT managedInstance/{instance}/resume',
  recycleInstance: 'PUT managedInstance/{instance}/recycle',
  deleteInstanceVolume: 'DELETE managedInstance/{instance}/volume/{volume}',
  getImport: 'GET managedInstance/migration/{import}'
}
const named = (path: string, values: Record<string, string>) =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => values[name] as string)

/** Every operation with every place in its path where a name or an id stands. */
const places = operations.flatMap(({ path, method, operation, parameters }) => parameters
  .filter((parameter) => parameter.in === 'path')
  .map(({ name, schema }) => ({ path, method: method.toUpperCase(), name, schema, operation })))
  .map((place, _, all) => {
    const ofThisName = all.filter(({ name }) => name === place.name)
    return { ...place, turn: ofThisName.indexOf(place), turns: ofThisName.length }
  })
const idPlaces = places.filter(({ name }) => name !== 'account')

/**
 * Values for one of the places where a name stands. With CHAOS=full all of them; else every twelfth, others in the next
 * place, so that each value is tried for each name. Places of one name have one schema, as a test shows.
 */
function valuesFor (values: string[], { turn, turns }: { turn: number, turns: number }) {
  const step = process.env.CHAOS === 'full' ? 1 : Math.min(12, turns)
  return values.filter((_, index) => index % step === turn % step)
}

t.test('an account is found by its name in every path', async (t) => {
  for (const name of new Set(places.map(({ name }) => name))) {
    const schemas = places.filter((place) => place.name === name).map(({ schema }) => JSON.stringify(schema))
    t.equal(new Set(schemas).size, 1, name)
  }
})

t.test('no hostile name or id reaches Spot', async (t) => {
  const { request, sandbox } = await start(t)
  for (const place of places) {
    const { path, method, name } = place
    const answers = await Promise.all(valuesFor(hostile, place).map(async (value) =>
      [value, (await request(method, named(path, { ...ids, [name]: value }), { body: {} })).status] as const))
    const others = answers.filter(([, status]) => status < 400 || status > 499)
    t.strictSame(others, [], `${method} ${path}: every hostile ${name} is the caller's error`)
  }
  t.strictSame(sandbox.transcript, [])
})

t.test('only a configured name is an account: not __proto__, another case or an id of Spot', async (t) => {
  const { request, sandbox } = await start(t)
  for (const place of places.filter(({ name }) => name === 'account')) {
    const { path, method, operation } = place
    const { query, body } = validCall(operation)
    for (const account of valuesFor([...inherited, 'Demo', 'demo2', 'act-5a9db0c5'], place)) {
      const { json } = await request(method, named(path, { ...ids, account }) + query, { body })
      t.equal(json.type, problemType('account-not-found'), `${method} ${path}: ${account}`)
    }
  }
  t.strictSame(sandbox.transcript, [])
})

t.test('an unknown id of the right form reaches Spot as the segment where it belongs', async (t) => {
  const { request, sandbox } = await start(t, { sandbox: { rateLimit: Infinity } })
  const strange = [...inherited, 'sig-0000abcd', 'a', '0', 'a_-b', 'status', 'costs', '%73ig-1', 'a'.repeat(128)]
  for (const place of idPlaces) {
    const { path, method, name, operation } = place
    const { query, body } = validCall(operation)
    const own = `${method} ${path}`.replace('/v1/spot/{account}/elastigroups', 'group')
      .replace('/v1/spot/{account}/instances', 'managedInstance')
    const [spotMethod, spotPath] = (upstream[operation.operationId] ?? own).split(' ') as [string, string]
    for (const id of valuesFor(strange, place)) {
      sandbox.transcript.length = 0
      const target = named(path, { ...ids, [name]: id }) + query
      const { json } = await request(method, target, { body })
      t.equal(json.type, problemType('resource-not-found'), `${method} ${target}`)
      const wanted = `/aws/ec2/${named(spotPath, { ...ids, [name]: decodeURIComponent(id) })}`
      const calls = sandbox.transcript.map((call) => `${call.method} ${call.path} ${call.query.accountId}`)
      t.ok(calls.includes(`${spotMethod} ${wanted} act-5a9db0c5`), `${method} ${target}: ${calls}`)
      const beside = calls.filter((call) => !call.startsWith(`${spotMethod} ${wanted} `))
      const resource = wanted.split('/').slice(0, 5).join('/')
      const lookUps = [resource, `${resource}/status`].map((path) => `GET ${path} act-5a9db0c5`)
      t.ok(beside.every((call) => lookUps.includes(call)), 'the only other call asks for the very resource')
      t.ok(calls.length <= 2)
    }
  }
})

t.test('an id that is a fixed segment in a path of Spot is refused', async (t) => {
  const { request, sandbox } = await start(t)
  for (const { path, method, name, operation } of idPlaces) {
    if (name !== 'elastigroup' && name !== 'instance') continue
    for (const word of taken) {
      const { body } = validCall(operation)
      const { status } = await request(method, named(path, { ...ids, [name]: word }), { body })
      t.ok([400, 404, 405].includes(status), `${method} ${path}: ${word}`)
    }
  }
  t.strictSame(sandbox.transcript, [])
})

t.test('the URL of a call to Spot is built from encoded segments', async (t) => {
  const group = ['aws', 'ec2', 'group']
  const spot = 'https://api.spotinst.io'
  for (const [endpoint, path, query, wanted] of [
    [spot, group, {}, `${spot}/aws/ec2/group`],
    [`${spot}/`, [...group, 'sig-1'], { accountId: 'act-1' }, `${spot}/aws/ec2/group/sig-1?accountId=act-1`],
    [`${spot}/base`, group, {}, `${spot}/base/aws/ec2/group`],
    [`${spot}/base/path//`, group, {}, `${spot}/base/path/aws/ec2/group`],
    [`${spot}/b%20c`, group, {}, `${spot}/b%20c/aws/ec2/group`],
    [`${spot}/base/../other`, group, {}, `${spot}/other/aws/ec2/group`],
    ['http://[::1]:8080', [...group, 'a'.repeat(128)], {}, `http://[::1]:8080/aws/ec2/group/${'a'.repeat(128)}`],
    [spot, group, { a: undefined, b: '', c: '&d=e#f' }, `${spot}/aws/ec2/group?b=&c=%26d%3De%23f`]
  ] as const) t.equal(targetOf(endpoint, path, query).href, wanted, `${endpoint} and ${path.join(', ').slice(0, 60)}`)
})

t.test('no URL of Spot is built with a segment such as .. or an empty one', async (t) => {
  for (const segment of [...hostile, '', ' ', 'a\n', 'a\0', '\u2025', 'é']) {
    for (const path of [[segment], ['aws', 'ec2', 'group', segment], ['aws', 'ec2', 'group', segment, 'status']]) {
      t.throws(() => targetOf('https://api.spotinst.io', path, {}), TypeError, JSON.stringify(segment.slice(0, 40)))
    }
  }
})
