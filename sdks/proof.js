// Runs the program of a language against a server, and looks at what reached Spot.
import assert from 'node:assert/strict'
import { moduleOf } from './languages.js'
import { NEW_TYPE, startNewerServer } from './newer-server.js'
import { STEPS } from './steps.js'

/** It has what clients tend to lose: nulls, 0, empty arrays and objects, and fields that they do not know. */
const GROUP = {
  name: 'sent-back',
  description: null,
  region: 'us-east-1',
  strategy: { risk: 0, onDemandCount: null, drainingTimeout: 0, ofTomorrow: { none: null, empty: [], zero: 0 } },
  capacity: { minimum: 0, target: 0, maximum: 0, unit: 'instance' },
  scaling: { up: [], down: null },
  scheduling: { tasks: [] },
  thirdPartiesIntegration: {},
  compute: {
    product: 'Linux/UNIX',
    instanceTypes: { ondemand: 't3.micro', spot: ['t3.micro'], preferredSpot: null },
    availabilityZones: [{ name: 'us-east-1a', subnetIds: ['subnet-0f1e2d3c'], ofTomorrow: false }],
    elasticIps: null,
    launchSpecification: {
      securityGroupIds: [],
      tags: [{ tagKey: 'team', tagValue: '', ofTomorrow: null }],
      iamRole: null,
      userData: null,
      shutdownScript: Buffer.from('# long enough to be compressed\n'.repeat(50)).toString('base64'),
      monitoring: false,
      blockDeviceMappings: [],
      networkInterfaces: null,
      ofTomorrow: [{}, null, 0]
    }
  },
  ofTomorrow: null
}

/** A value with the keys of its objects sorted: their order does not matter. */
const sorted = (value) => JSON.parse(JSON.stringify(value), (_, one) =>
  typeof one === 'object' && one !== null && !Array.isArray(one) ? Object.fromEntries(Object.entries(one).sort()) : one)

async function ask (url, token, method, path, body) {
  const response = await fetch(url + path, {
    method, headers: { 'x-auth-token': token, 'content-type': 'application/json' }, body: body && JSON.stringify(body)
  })
  assert.ok(response.ok, `${method} ${path}: ${response.status}`)
  return response.json()
}

/** The program prints a line for each step, in order. `type`: of the problem that one of them meets. */
function checkLines (output, type) {
  const lines = output.trim().split('\n').map((line) => [line.split(':', 1)[0].trim(), line])
  assert.deepEqual(lines.map(([step]) => step), Object.keys(STEPS), `a line for each step, in order:\n${output}`)
  const problem = Object.fromEntries(lines).problem
  assert.ok(problem.includes(type), `the type of the problem is ${type}:\n${problem}`)
}

/**
 * @param language whose package has been made
 * @param output the folder of the package
 * @param server `url`, `account`, `key` and `token` of a server, and `transcript()`: the calls that Spot got
 * @param isNewer whether the server acts as one that is newer than the client
 * @returns what the program printed
 * @throws {Error} that says what did not hold
 */
export async function prove (language, output, { url, account, key, token, transcript }, isNewer) {
  const { example } = await moduleOf(language)
  const groups = `/v1/spot/${account}/elastigroups`
  const { id } = await ask(url, token, 'POST', groups, GROUP)
  const newer = isNewer ? await startNewerServer(url) : undefined
  try {
    const seen = newer?.url ?? url
    const { id: _, createdAt, updatedAt, ...group } = await ask(seen, token, 'GET', `${groups}/${id}`)
    const before = (await transcript()).length
    const printed = await example({
      output,
      environment: {
        SPOT_API_URL: seen,
        SPOT_API_ACCOUNT: account,
        SPOT_API_GROUP: id,
        ...isNewer || !key ? { SPOT_API_TOKEN: token } : { SPOT_API_KEY: key }
      }
    })
    checkLines(printed, isNewer ? NEW_TYPE : 'urn:problem-type:spot-api:resource-not-found')
    assert.deepEqual(newer?.faults() ?? [], [])
    const calls = (await transcript()).slice(before)
    const creates = calls.filter(({ method, route }) => method === 'POST' && route === '/aws/ec2/group')
    assert.equal(creates.length, 1, 'one group was created')
    const back = calls.findLast(({ method, path }) => method === 'PUT' && path === `/aws/ec2/group/${id}`)
    assert.deepEqual(sorted(back?.body.group ?? null), sorted(group), 'what was read is what was sent back')
    return printed
  } finally {
    await newer?.close()
    await fetch(`${url}${groups}/${id}`, { method: 'DELETE', headers: { 'x-auth-token': token } })
  }
}
