import { endOf } from '../clock.js'
import type { Context, Operation } from '../operation.js'
import { readBody } from '../protocol/body.js'
import { invalid, refusal, refusals } from '../protocol/errors.js'
import { readNumber, readObjects, readString, readStrings } from '../protocol/json.js'
import type { Rule } from '../protocol/validation.js'
import { findGroup } from '../elastigroups/engine.js'
import type { Group } from '../elastigroups/model.js'
import { writeLog } from '../journal/model.js'

const KIND = 'spotinst:aws:ec2:suspension'
const PATH = '/aws/ec2/group/{groupId}/suspension'

/** Vendor OpenAPI; LB_REGISTRATION: Java SDK. */
const PROCESSES = [
  'AUTO_SCALE', 'AUTO_HEALING', 'OUT_OF_STRATEGY', 'PREVENTIVE_REPLACEMENT', 'REVERT_PREFERRED', 'SCHEDULING',
  'LB_REGISTRATION'
]

/** Suspended processes of a group. The sandbox runs none of them, so it only keeps the list. */
export const suspensions: Operation[] = [
  { method: 'GET', path: PATH, kind: KIND, handle: list },
  { method: 'POST', path: PATH, kind: KIND, handle: suspend },
  { method: 'DELETE', path: PATH, kind: KIND, handle: revoke }
]

/**
 * An unknown group is refused with a second code: the one by which the Terraform provider learns that suspensions are
 * gone. The vendor's document leaves it open.
 */
function list (context: Context): object[] {
  const group = context.account.groups.get(context.params.groupId ?? '')
  if (group === undefined) throw refusals('GROUP_DOESNT_EXIST', 'SUSPEND_PROCESSES_DOESNT_EXIST')
  return show(group, context.now)
}

const NAMES: Rule = { path: 'processes[]', type: 'string', oneOf: PROCESSES }

/** Accepts processes, suspended until removed, or suspensions, each with its time. A repeated one starts anew. */
function suspend (context: Context): object[] {
  const { now } = context
  const group = findGroup(context)
  const body = readBody(context.body, [
    { path: 'processes', type: 'array', minItems: 1 },
    NAMES,
    { path: 'suspensions', type: 'array', minItems: 1 },
    { path: 'suspensions[]', type: 'object' },
    { path: 'suspensions[].name', type: 'string', required: true, oneOf: PROCESSES },
    { path: 'suspensions[].ttlInMinutes', type: 'integer', minimum: 1 }
  ])
  const given = ['processes', 'suspensions'].filter((key) => Object.hasOwn(body, key))
  if (given.length !== 1) {
    const message = given.length === 0
      ? '"value" must contain at least one of [processes, suspensions]'
      : '"value" contains a conflict between exclusive peers [processes, suspensions]'
    throw invalid([{ message, field: 'value' }])
  }
  for (const name of readStrings(body, 'processes')) group.suspensions.set(name, Infinity)
  for (const suspension of readObjects(body, 'suspensions')) {
    group.suspensions.set(readString(suspension, 'name') ?? '', endOf(now, readNumber(suspension, 'ttlInMinutes')))
  }
  writeLog(group, now, `Suspended: ${current(group, now).map(([name]) => name).join(', ')}`, [group.id])
  return show(group, now)
}

/** All or nothing: if one process is not suspended, none is removed. */
function revoke (context: Context): object[] {
  const { now } = context
  const group = findGroup(context)
  const body = readBody(context.body, [{ path: 'processes', type: 'array', required: true, minItems: 1 }, NAMES])
  const names = readStrings(body, 'processes')
  const present = new Set(current(group, now).map(([name]) => name))
  const absent = names.filter((name) => !present.has(name))
  if (absent.length > 0) {
    throw refusal('SUSPEND_PROCESSES_DOESNT_EXIST', `Not suspended: ${absent.join(', ')}`)
  }
  for (const name of names) group.suspensions.delete(name)
  writeLog(group, now, `No longer suspended: ${names.join(', ')}`, [group.id])
  return show(group, now)
}

function current (group: Group, now: number): [string, number][] {
  return [...group.suspensions].filter(([, until]) => until > now)
}

function show (group: Group, now: number): object[] {
  const suspended = current(group, now)
  return [{
    groupId: group.id,
    processes: suspended.map(([name]) => name),
    suspensions: suspended.map(([name, until]) => ({
      name,
      // RFC 3339: the Go SDK decodes nothing else here.
      expiresAt: until === Infinity ? null : new Date(until).toISOString()
    }))
  }]
}
