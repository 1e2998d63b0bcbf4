import { endOf } from '../clock.js'
import { RUNNING_AFTER_MS } from '../machines/model.js'
import type { Context, Operation } from '../operation.js'
import { readBody } from '../protocol/body.js'
import { readString, readStrings } from '../protocol/json.js'
import { readQuery } from '../protocol/query.js'
import { findInstance, interrupt, lock, receiveSignal, setStandby, unlock } from './engine.js'
import type { GroupInstance } from './engine.js'

const PATH = '/aws/ec2/instance'
const KIND = 'spotinst:aws:ec2:instance'
const ONE = `${PATH}/{instanceId}`

/** Single instances of groups. */
export const instances: Operation[] = [
  { method: 'GET', path: ONE, kind: KIND, handle: show },
  action('lock', (instance, { query, now }) => {
    const { ttlInMinutes } = readQuery(query, [{ path: 'ttlInMinutes', type: 'integer', minimum: 1 }])
    lock(instance, endOf(now, ttlInMinutes as number | undefined), now)
  }),
  action('unlock', (instance, { now }) => unlock(instance, now)),
  action('standby/enter', (instance, { now }) => setStandby(instance, true, now)),
  action('standby/exit', (instance, { now }) => setStandby(instance, false, now)),
  { method: 'POST', path: `${PATH}/interruption`, handle: interruptMany },
  { method: 'POST', path: `${PATH}/signal`, kind: `${KIND}:signal`, handle: signal }
]

function action (name: string, act: (instance: GroupInstance, context: Context) => void): Operation {
  const handle = (context: Context) => {
    act(find(context), context)
    return undefined
  }
  return { method: 'POST', path: `${ONE}/${name}`, handle }
}

function find ({ account, params, now }: Context): GroupInstance {
  return findInstance(account, params.instanceId ?? '', now)
}

function show (context: Context): object[] {
  const { machine } = find(context)
  const lifeCycleState = machine.endedAt === undefined ? 'ACTIVE' : 'TERMINATING'
  return [{ instanceId: machine.instanceId, lifeCycleState }]
}

/** All or nothing: if one instance is unknown, none is interrupted. */
function interruptMany ({ account, body, now }: Context): undefined {
  const sent = readBody(body, [
    { path: 'instancesToInterrupt', type: 'array', required: true, minItems: 1 },
    { path: 'instancesToInterrupt[]', type: 'string' }
  ])
  const found = [...new Set(readStrings(sent, 'instancesToInterrupt'))].map((id) => findInstance(account, id, now))
  for (const instance of found) interrupt(instance, now)
}

function signal ({ account, body, now }: Context): object[] {
  const sent = readBody(body, [
    { path: 'instanceId', type: 'string', required: true },
    { path: 'signal', type: 'string', required: true, oneOf: ['INSTANCE_READY', 'INSTANCE_READY_TO_SHUTDOWN'] }
  ])
  const instance = findInstance(account, readString(sent, 'instanceId') ?? '', now)
  const type = readString(sent, 'signal') ?? ''
  receiveSignal(instance, type, now)
  const { instanceId, requestedAt } = instance.machine
  return [{ instanceId, instanceLaunchedAt: new Date(requestedAt + RUNNING_AFTER_MS).toISOString(), type }]
}
