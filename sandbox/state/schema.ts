import { LATEST } from '../clock.js'
import { TASKS } from '../tasks.js'

type Schema = object

const text = { type: 'string' }
/** Milliseconds since the epoch. */
const time = { type: 'number', minimum: 0, maximum: LATEST }
/** The same; null: without end. */
const timeOrNever = { ...time, type: ['number', 'null'] }
/** The same for what may be due long after the last date, and is never shown. */
const anyTime = { type: 'number' }
const boolean = { type: 'boolean' }
const count = { type: 'integer', minimum: 0 }
const json = { type: 'object' }
const times = { type: 'object', additionalProperties: timeOrNever }

function list (items: Schema): Schema {
  return { type: 'array', items }
}

function words (...values: string[]): Schema {
  return { enum: values }
}

/** A closed object; `optional` properties may be missing. */
function object (properties: Record<string, Schema>, optional: Record<string, Schema> = {}): Schema {
  return {
    type: 'object',
    properties: { ...properties, ...optional },
    required: Object.keys(properties),
    additionalProperties: false
  }
}

const machine = object({
  instanceId: text,
  spotInstanceRequestId: { type: ['string', 'null'] },
  instanceType: text,
  availabilityZone: text,
  privateIp: text,
  publicIp: text,
  healthy: boolean,
  requestedAt: time,
  standby: boolean
}, { endedAt: anyTime, lockedUntil: timeOrNever })

const resource = { id: text, createdAt: time, updatedAt: time, content: json, machines: list(machine) }

const roll = object({
  id: text,
  status: words('starting', 'in_progress', 'finished', 'stopped', 'failed'),
  createdAt: time,
  updatedAt: time,
  options: object({
    gracePeriod: count,
    healthCheckType: text,
    drainingTimeout: count,
    action: words('REPLACE_SERVER', 'RESTART_SERVER'),
    batchMinHealthyPercentage: count
  }, {
    onFailure: object({
      actionType: words('DETACH_OLD', 'DETACH_NEW'),
      shouldHandleAllBatches: boolean,
      shouldDecrementTargetCapacity: boolean,
      drainingTimeout: count
    })
  }),
  batches: list(object({ blue: list(object({ instanceId: text, slot: count })), green: list(text) })),
  begun: count,
  done: count
}, { deployment: json })

const statefulInstance = object({
  id: text,
  state: words('ACTIVE', 'PAUSING', 'PAUSED', 'RESUMING', 'RECYCLING', 'DEALLOCATING', 'DEALLOCATED'),
  createdAt: time,
  devices: list(object({ deviceName: text, volumeId: text, snapshotId: text }))
}, { instanceId: text })

const group = object({
  ...resource,
  events: list(object({ eventType: text, at: time, subEvents: list(json) })),
  log: list(object({ message: text, severity: words('INFO', 'DEBUG', 'WARN'), at: time, about: list(text) })),
  rolls: list(roll),
  suspensions: times,
  policySuspensions: times,
  listenerRuleMigrations: list(object({ id: text, ruleArn: text, attempt: count, createdAt: time, startedAt: time })),
  isInMaintenance: boolean,
  statefulInstances: list(statefulInstance)
}, { deletedAt: time })

const managedInstance = object({ ...resource, state: words('STEADY', 'PAUSING', 'PAUSED', 'RESUMING', 'RECYCLING') })

const migration = object({
  id: text,
  managedInstanceId: text,
  options: object({
    originalInstanceId: text,
    region: text,
    product: text,
    shouldKeepPrivateIp: boolean,
    shouldKeepMetadataOptions: boolean,
    shouldTerminateInstance: boolean,
    spotInstanceTypes: list(text),
    subnetIds: list(text)
  }, { managedInstanceName: text }),
  startedAt: time
})

const statefulImport = object({
  id: text,
  groupId: text,
  options: object({
    originalInstanceId: text,
    name: text,
    shouldKeepPrivateIp: boolean,
    shouldTerminateInstance: boolean,
    spotInstanceTypes: list(text)
  }, { region: text, product: text, availabilityZones: list(json) }),
  phase: words('copying', 'moving', 'cancelled'),
  startedAt: time
})

const due = object({ at: anyTime, task: words(...Object.keys(TASKS)), ids: list(text) })

/** JSON Schema of a saved world. */
export const snapshotSchema = object({
  version: { const: 1 },
  now: time,
  accounts: list(object({
    id: text,
    agenda: list(due),
    groups: list(group),
    deletedGroups: list(group),
    managedInstances: list(managedInstance),
    migrations: list(migration),
    statefulImports: list(statefulImport)
  }))
})
