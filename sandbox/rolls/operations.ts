import { lifeCycle, running } from '../machines/model.js'
import type { Machine } from '../machines/model.js'
import type { Context, Operation } from '../operation.js'
import { below, readBody } from '../protocol/body.js'
import { offsetDate } from '../protocol/dates.js'
import { refusal } from '../protocol/errors.js'
import { read, readBoolean, readNumber, readString } from '../protocol/json.js'
import { readQuery } from '../protocol/query.js'
import type { Rule } from '../protocol/validation.js'
import { findGroup, isBlockedByRoll, KIND } from '../elastigroups/engine.js'
import type { Group } from '../elastigroups/model.js'
import type { Roll, RollAction } from './model.js'
import { checkRollable, detachBatch, progressOf, startRoll, stopRolling } from './engine.js'

const PATH = '/aws/ec2/group/{groupId}/roll'
const ONE = `${PATH}/{rollId}`
const ECS = '/aws/ec2/group/{groupId}/clusterRoll'

/** Deployments of a group. */
export const rolls: Operation[] = [
  { method: 'GET', path: PATH, kind: `${KIND}:roll`, handle: list },
  { method: 'PUT', path: PATH, kind: `${KIND}:roll`, handle: start },
  { method: 'GET', path: ONE, kind: `${KIND}:roll`, handle: (context) => [show(findRoll(context).roll)] },
  { method: 'PUT', path: ONE, kind: `${KIND}:roll`, handle: stop },
  { method: 'GET', path: `${ONE}/status`, kind: `${KIND}:roll:status`, handle: status },
  { method: 'POST', path: `${ONE}/action`, kind: `${KIND}:roll:action`, handle: act },
  // Not in the vendor's document: Python SDK, which calls an action so, and Go SDK, for groups of an ECS cluster.
  { method: 'POST', path: ONE, kind: `${KIND}:roll:action`, handle: act },
  { method: 'POST', path: ECS, kind: `${KIND}:roll`, handle: startOfCluster },
  { method: 'GET', path: `${ECS}/{rollId}`, kind: `${KIND}:roll`, handle: (context) => [show(findRoll(context).roll)] }
]

/** Vendor OpenAPI and Go SDK (`batchNum`, and `shouldDrainInstances`, which changes nothing here). */
const ACTION_RULES: Rule[] = [
  { path: 'actionType', type: 'string', required: true, oneOf: ['DETACH_OLD', 'DETACH_NEW'] },
  { path: 'shouldHandleAllBatches', type: 'boolean' },
  { path: 'shouldDecrementTargetCapacity', type: 'boolean' },
  { path: 'drainingTimeout', type: 'integer', minimum: 0 },
  { path: 'batchNum', type: 'integer', minimum: 1 }
]
const HEALTH_CHECKS = [
  'ELB', 'ECS_CLUSTER_INSTANCE', 'TARGET_GROUP', 'OPSWORKS', 'NOMAD_NODE', 'HCS', 'EC2', 'K8S_NODE', 'NONE'
]
const START_RULES: Rule[] = [
  { path: 'batchSizePercentage', type: 'integer', required: true, minimum: 1, maximum: 100 },
  { path: 'gracePeriod', type: 'integer', required: true, minimum: 0 },
  { path: 'healthCheckType', type: 'string', oneOf: HEALTH_CHECKS },
  { path: 'drainingTimeout', type: 'integer', minimum: 0 },
  { path: 'strategy', type: 'object' },
  { path: 'strategy.action', type: 'string', oneOf: ['REPLACE_SERVER', 'RESTART_SERVER'] },
  { path: 'strategy.shouldDrainInstances', type: 'boolean' },
  { path: 'strategy.batchMinHealthyPercentage', type: 'integer', minimum: 0, maximum: 100 },
  { path: 'strategy.onFailure', type: 'object' },
  ...below('strategy.onFailure', ACTION_RULES)
]

function list (context: Context): object[] {
  const group = findGroup(context)
  const parameters = readQuery(context.query, [
    { path: 'limit', type: 'integer', minimum: 1 },
    { path: 'sort', type: 'string', oneOf: ['createdAt:DESC', 'createdAt:ASC'] }
  ])
  const all = group.rolls.filter(({ deployment }) => deployment === undefined)
  if (readString(parameters, 'sort') !== 'createdAt:ASC') all.reverse()
  return all.slice(0, readNumber(parameters, 'limit')).map(show)
}

function start (context: Context): object[] {
  const { now } = context
  const group = findGroup(context)
  const body = readBody(context.body, START_RULES)
  checkRollable(group, now)
  const onFailure = read(body, 'strategy.onFailure')
  return [show(startRoll(group, {
    gracePeriod: readNumber(body, 'gracePeriod') ?? 0,
    healthCheckType: readString(body, 'healthCheckType') ??
      readString(group.content, 'compute.launchSpecification.healthCheckType') ?? 'NONE',
    drainingTimeout: readNumber(body, 'drainingTimeout') ?? 0,
    action: readString(body, 'strategy.action') === 'RESTART_SERVER' ? 'RESTART_SERVER' : 'REPLACE_SERVER',
    batchMinHealthyPercentage: readNumber(body, 'strategy.batchMinHealthyPercentage') ?? 50,
    onFailure: onFailure === undefined ? undefined : readAction(onFailure)
  }, readNumber(body, 'batchSizePercentage') ?? 100, now))]
}

/** Like any other roll; `comment` is not kept. */
function startOfCluster (context: Context): object[] {
  const { now } = context
  const group = findGroup(context)
  const body = readBody(context.body, [
    { path: 'roll', type: 'object', required: true },
    { path: 'roll.batchSizePercentage', type: 'integer', required: true, minimum: 1, maximum: 100 },
    { path: 'roll.comment', type: 'string' }
  ])
  checkRollable(group, now)
  return [show(startRoll(group, {
    gracePeriod: 0,
    healthCheckType: 'ECS_CLUSTER_INSTANCE',
    drainingTimeout: 0,
    action: 'REPLACE_SERVER',
    batchMinHealthyPercentage: 50,
    onFailure: undefined
  }, readNumber(body, 'roll.batchSizePercentage') ?? 100, now))]
}

function stop (context: Context): undefined {
  const { group, roll } = findRoll(context)
  readBody(context.body, [
    { path: 'roll', type: 'object', required: true },
    { path: 'roll.status', type: 'string', required: true, oneOf: ['STOPPED'] }
  ])
  if (roll !== group.rolls.at(-1) || !isBlockedByRoll(group)) {
    throw refusal('CANT_STOP_ROLL', `Roll ${roll.id} is ${roll.status} and cannot be stopped`)
  }
  stopRolling(group, context.now)
}

/** Only a failed roll that was not stopped accepts actions; it stays failed. */
function act (context: Context): object[] {
  const { group, roll } = findRoll(context)
  const action = readAction(readBody(context.body, ACTION_RULES))
  if (roll.status !== 'failed') throw refusal('CANT_ACT_ON_ROLL', `Roll ${roll.id} is ${roll.status}, not failed`)
  const detachedInstances = detachBatch(group, roll, action, context.now)
  return [{ groupId: group.id, rollId: roll.id, actionType: action.actionType, detachedInstances }]
}

function status (context: Context): object[] {
  const { roll } = findRoll(context)
  const row = (machine: Machine, index: number) => ({
    ...running(machine, context.now) ? { instanceId: machine.instanceId } : {},
    lifeCycle: lifeCycle(machine),
    batchNum: index + 1,
    status: stateOf(machine, context.now)
  })
  return [{
    progress: { unit: 'percent', value: progressOf(roll) },
    numberOfBatches: roll.batches.length,
    currentBatch: roll.begun,
    gracePeriod: roll.options.gracePeriod,
    strategyAction: roll.options.action,
    healthCheck: roll.options.healthCheckType,
    instances: [{
      blue: roll.batches.flatMap(({ blue }, index) => blue.map(({ machine }) => row(machine, index))),
      green: roll.batches.flatMap(({ green }, index) => green.map((machine) => row(machine, index)))
    }]
  }]
}

function readAction (value: unknown): RollAction {
  return {
    actionType: readString(value, 'actionType') === 'DETACH_OLD' ? 'DETACH_OLD' : 'DETACH_NEW',
    shouldHandleAllBatches: readBoolean(value, 'shouldHandleAllBatches') ?? false,
    shouldDecrementTargetCapacity: readBoolean(value, 'shouldDecrementTargetCapacity') ?? true,
    drainingTimeout: readNumber(value, 'drainingTimeout') ?? 0
  }
}

function findRoll (context: Context): { group: Group, roll: Roll } {
  const group = findGroup(context)
  const roll = group.rolls.find(({ id, deployment }) => id === context.params.rollId && deployment === undefined)
  if (roll === undefined) throw refusal('ROLL_DOESNT_EXIST')
  return { group, roll }
}

function show (roll: Roll): object {
  return {
    id: roll.id,
    status: roll.status,
    progress: { unit: 'percent', value: progressOf(roll) },
    currentBatch: roll.begun,
    numOfBatches: roll.batches.length,
    gracePeriod: roll.options.gracePeriod,
    createdAt: offsetDate(roll.createdAt),
    updatedAt: offsetDate(roll.updatedAt)
  }
}

/** The states of EC2: the vendor's document has an open string here. */
function stateOf (machine: Machine, now: number): string {
  if (!running(machine, now)) return 'pending'
  return machine.endedAt === undefined ? 'running' : machine.endedAt > now ? 'shutting-down' : 'terminated'
}
