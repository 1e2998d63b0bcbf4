import { ELASTIGROUP, KIND } from '../elastigroups/engine.js'
import type { Context, Operation } from '../operation.js'
import { readBody } from '../protocol/body.js'
import { readBoolean, readString, readStrings } from '../protocol/json.js'
import type { JsonObject } from '../protocol/json.js'
import { readQuery } from '../protocol/query.js'
import type { Rule } from '../protocol/validation.js'
import { create, flat } from '../resources/engine.js'
import { importedGroup } from './content.js'

/** Turning what runs in AWS into a group. */
export const imports: Operation[] = [
  { method: 'POST', path: '/aws/ec2/group/instance/import', kind: KIND, handle: importInstance },
  { method: 'POST', path: '/aws/ec2/group/autoScalingGroup/import', kind: KIND, handle: importAutoScalingGroup }
]

const REGION: Rule = { path: 'region', type: 'string', required: true }
const BODY: Rule[] = [
  { path: 'group', type: 'object' },
  { path: 'group.name', type: 'string' },
  { path: 'group.spotInstanceTypes', type: 'array' },
  { path: 'group.spotInstanceTypes[]', type: 'string' }
]

function importInstance ({ account, body, now, query }: Context): object[] {
  const parameters = readQuery(query, [REGION, { path: 'instanceId', type: 'string', required: true }])
  const content = contentOf(readString(parameters, 'instanceId') ?? '', parameters, readBody(body, BODY))
  return [flat(create(ELASTIGROUP, account, { group: content }, now))]
}

/** A dry run returns the group that it would create. */
function importAutoScalingGroup ({ account, body, now, query }: Context): object[] {
  const parameters = readQuery(query, [
    REGION, { path: 'autoScalingGroupName', type: 'string', required: true }, { path: 'dryRun', type: 'boolean' }
  ])
  const sent = readBody(body, [
    ...BODY, { path: 'group.product', type: 'string' }, { path: 'group.availabilityVsCost', type: 'string' }
  ])
  const content = contentOf(readString(parameters, 'autoScalingGroupName') ?? '', parameters, sent)
  return readBoolean(parameters, 'dryRun') === true
    ? [content]
    : [flat(create(ELASTIGROUP, account, { group: content }, now))]
}

function contentOf (origin: string, parameters: JsonObject, sent: JsonObject): JsonObject {
  return importedGroup(origin, {
    name: readString(sent, 'group.name'),
    region: readString(parameters, 'region'),
    product: readString(sent, 'group.product'),
    spotInstanceTypes: readStrings(sent, 'group.spotInstanceTypes'),
    strategy: { availabilityVsCost: readString(sent, 'group.availabilityVsCost') ?? 'balanced' }
  })
}
