import { findGroup, KIND } from '../elastigroups/engine.js'
import { importedGroup } from '../imports/content.js'
import { writeLog } from '../journal/model.js'
import type { Context, Operation } from '../operation.js'
import { invalid, refusal } from '../protocol/errors.js'
import { readString } from '../protocol/json.js'
import { readQuery } from '../protocol/query.js'
import { flat } from '../resources/engine.js'

const PATH = '/aws/ec2/group/{groupId}/beanstalk'

/** Groups of Elastic Beanstalk. Not in the vendor's document: Go SDK, Python SDK, Terraform provider. */
export const beanstalk: Operation[] = [
  { method: 'GET', path: '/aws/ec2/group/beanstalk/import', kind: KIND, handle: importEnvironment },
  { method: 'PUT', path: `${PATH}/reimport`, kind: KIND, handle: (context) => [flat(findGroup(context))] },
  { method: 'PUT', path: `${PATH}/maintenance/start`, handle: (context) => setMaintenance(context, true) },
  { method: 'PUT', path: `${PATH}/maintenance/finish`, handle: (context) => setMaintenance(context, false) },
  {
    method: 'GET',
    path: `${PATH}/maintenance/status`,
    handle: (context) => [{ status: statusOf(findGroup(context).isInMaintenance) }]
  }
]

/** Shows the group that could be created for an environment; nothing is. */
function importEnvironment ({ query }: Context): object[] {
  const parameters = readQuery(query, [
    { path: 'region', type: 'string', required: true },
    { path: 'environmentId', type: 'string' },
    { path: 'environmentName', type: 'string' }
  ])
  const origin = readString(parameters, 'environmentId') ?? readString(parameters, 'environmentName')
  if (origin === undefined) {
    const message = '"value" must contain at least one of [environmentId, environmentName]'
    throw invalid([{ message, field: 'value' }])
  }
  return [{
    ...importedGroup(origin, {
      name: readString(parameters, 'environmentName'),
      region: readString(parameters, 'region'),
      product: undefined,
      spotInstanceTypes: [],
      strategy: { availabilityVsCost: 'balanced' }
    }),
    thirdPartiesIntegration: { elasticBeanstalk: { environmentId: origin } }
  }]
}

function setMaintenance (context: Context, isWanted: boolean): undefined {
  const group = findGroup(context)
  if (group.isInMaintenance === isWanted) {
    throw refusal('CANT_CHANGE_MAINTENANCE', `The maintenance of group ${group.id} is ${statusOf(isWanted)} already`)
  }
  group.isInMaintenance = isWanted
  writeLog(group, context.now, `Maintenance: ${statusOf(isWanted)}`, [group.id])
}

/** The words are those that the Terraform provider waits for. */
function statusOf (isInMaintenance: boolean): string {
  return isInMaintenance ? 'AWAIT_USER_UPDATE' : 'ACTIVE'
}
