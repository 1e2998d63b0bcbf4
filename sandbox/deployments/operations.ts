import { findGroup, isBlockedByRoll, KIND } from '../elastigroups/engine.js'
import type { Group } from '../elastigroups/model.js'
import type { Context, Operation } from '../operation.js'
import { readBody } from '../protocol/body.js'
import { refusal } from '../protocol/errors.js'
import { isObject, read } from '../protocol/json.js'
import { checkRollable, startRoll, stopRolling } from '../rolls/engine.js'
import type { Roll, RollStatus } from '../rolls/model.js'

const PATH = '/aws/ec2/group/{groupId}/codeDeploy/blueGreenDeployment'

/** Blue/green deployments of CodeDeploy: rolls of all instances at once, which undo themselves if they fail. */
export const deployments: Operation[] = [
  { method: 'GET', path: PATH, kind: `${KIND}:codeDeploy:blueGreenDeployment`, handle: list },
  { method: 'POST', path: PATH, kind: `${KIND}:codeDeploy:blueGreenDeployment`, handle: start },
  // Not in the vendor's document: Python SDK.
  { method: 'PUT', path: `${PATH}/{deploymentId}/stop`, handle: stop }
]

/** `STARTING` is the vendor's word; the others are ours. */
const STATES: Record<RollStatus, string> = {
  starting: 'STARTING', in_progress: 'IN_PROGRESS', finished: 'FINISHED', failed: 'FAILED', stopped: 'STOPPED'
}

/** Newest first. */
function list (context: Context): object[] {
  const group = findGroup(context)
  return group.rolls.filter(({ deployment }) => deployment !== undefined).reverse().map((roll) => show(group, roll))
}

function start (context: Context): object[] {
  const { now } = context
  const group = findGroup(context)
  const config = read(readBody(context.body, [
    { path: 'deployment', type: 'object', required: true },
    { path: 'deployment.timeout', type: 'integer', minimum: 0 },
    { path: 'deployment.tags', type: 'array' },
    { path: 'deployment.tags[]', type: 'object' },
    { path: 'deployment.tags[].tagKey', type: 'string', required: true },
    { path: 'deployment.tags[].tagValue', type: 'string' },
    { path: 'deployment.deploymentGroups', type: 'array' },
    { path: 'deployment.deploymentGroups[]', type: 'object' },
    { path: 'deployment.deploymentGroups[].applicationName', type: 'string', required: true },
    { path: 'deployment.deploymentGroups[].deploymentGroupName', type: 'string', required: true }
  ]), 'deployment')
  checkRollable(group, now)
  return [show(group, startRoll(group, {
    gracePeriod: 0,
    healthCheckType: 'NONE',
    drainingTimeout: 0,
    action: 'REPLACE_SERVER',
    batchMinHealthyPercentage: 100,
    onFailure: {
      actionType: 'DETACH_NEW', shouldHandleAllBatches: true, shouldDecrementTargetCapacity: true, drainingTimeout: 0
    }
  }, 100, now, isObject(config) ? config : {}))]
}

function stop (context: Context): undefined {
  const group = findGroup(context)
  const found = group.rolls.find(({ id, deployment }) => id === context.params.deploymentId && deployment !== undefined)
  if (found === undefined) throw refusal('DEPLOYMENT_DOESNT_EXIST')
  if (found !== group.rolls.at(-1) || !isBlockedByRoll(group)) {
    throw refusal('CANT_STOP_ROLL', `Deployment ${found.id} is ${STATES[found.status]} and cannot be stopped`)
  }
  stopRolling(group, context.now)
}

function show (group: Group, { id, status, deployment }: Roll): object {
  return { id, groupId: group.id, state: STATES[status], config: deployment }
}
