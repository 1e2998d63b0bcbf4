import { endOf } from '../clock.js'
import { findGroup } from '../elastigroups/engine.js'
import type { Group } from '../elastigroups/model.js'
import { writeLog } from '../journal/model.js'
import type { Context, Operation } from '../operation.js'
import { readBody } from '../protocol/body.js'
import { refusal } from '../protocol/errors.js'
import { readNumber, readObjects, readString } from '../protocol/json.js'
import { readQuery } from '../protocol/query.js'

const KIND = 'spotinst:aws:ec2:suspension'
const PATH = '/aws/ec2/group/{groupId}/scale'

/** Suspended scaling policies of a group. The sandbox runs no policy, so it only keeps the list. */
export const policySuspensions: Operation[] = [
  { method: 'POST', path: `${PATH}/suspendPolicy`, kind: KIND, handle: suspend },
  { method: 'POST', path: `${PATH}/resumePolicy`, kind: KIND, handle: resume },
  {
    method: 'GET',
    path: `${PATH}/suspensions`,
    kind: KIND,
    handle: (context) => {
      const group = findGroup(context)
      return [{ scalePolicySuspensions: current(group, context.now).map((entry) => show(group, entry)) }]
    }
  }
]

function suspend (context: Context): object[] {
  const { body, now, query } = context
  const group = findGroup(context)
  const parameters = readQuery(query, [{ path: 'policyName', type: 'string', required: true }])
  const policyName = readString(parameters, 'policyName')
  const sent = readBody(body, [
    { path: 'suspension', type: 'object' },
    { path: 'suspension.ttlInMinutes', type: 'integer', minimum: 1, maximum: 10_080 }
  ])
  const known = ['up', 'down', 'target'].flatMap((kind) => readObjects(group.content, `scaling.${kind}`))
  if (policyName === undefined || !known.some((policy) => policy.policyName === policyName)) {
    throw refusal('SCALING_POLICY_DOESNT_EXIST')
  }
  const until = endOf(now, readNumber(sent, 'suspension.ttlInMinutes'))
  group.policySuspensions.set(policyName, until)
  writeLog(group, now, `Scaling policy ${policyName} was suspended`, [group.id])
  return [show(group, [policyName, until])]
}

/** Without `policyName` all policies are resumed. */
function resume (context: Context): object[] {
  const { now, query } = context
  const group = findGroup(context)
  const policyName = readString(readQuery(query, [{ path: 'policyName', type: 'string' }]), 'policyName')
  const names = current(group, now).map(([name]) => name).filter((name) => name === (policyName ?? name))
  if (policyName !== undefined && names.length === 0) throw refusal('SUSPEND_PROCESSES_DOESNT_EXIST')
  for (const name of names) group.policySuspensions.delete(name)
  writeLog(group, now, `Scaling policies were resumed: ${names.join(', ')}`, [group.id])
  return []
}

function current (group: Group, now: number): [string, number][] {
  return [...group.policySuspensions].filter(([, until]) => until > now)
}

/** One without end has no `expiresAt`: the vendor's document does not allow null. */
function show (group: Group, [policyName, until]: [string, number]): object {
  return {
    groupId: group.id,
    policyName,
    state: 'suspended',
    ...until === Infinity ? {} : { expiresAt: new Date(until).toISOString() }
  }
}
