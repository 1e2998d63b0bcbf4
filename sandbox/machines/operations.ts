import { findGroup, KIND } from '../elastigroups/engine.js'
import { derivedId } from '../ids.js'
import { writeLog } from '../journal/model.js'
import type { Context, Operation } from '../operation.js'
import { readString } from '../protocol/json.js'
import { readQuery } from '../protocol/query.js'

/** Instance types and images. The vendor's document leaves the keys of their items open: these are ours. */
export const machineOperations: Operation[] = [
  { method: 'GET', path: '/aws/ec2/spotType', kind: 'spotinst:aws:ec2:spotType', handle: listTypes },
  { method: 'POST', path: '/aws/ec2/group/{groupId}/amiBackup', kind: `${KIND}:amiBackup`, handle: backUp }
]

const TYPES = ['t3', 'm5', 'c5', 'r5'].flatMap((family) =>
  ['large', 'xlarge', '2xlarge', '4xlarge'].map((size) => `${family}.${size}`))

function listTypes ({ query }: Context): object[] {
  const { region } = readQuery(query, [{ path: 'region', type: 'string', required: true }])
  return TYPES.map((instanceType) => ({ instanceType, region }))
}

function backUp (context: Context): object[] {
  const { now } = context
  const group = findGroup(context)
  const imageId = derivedId('ami', `${group.id}/${now}`, 17)
  writeLog(group, now, `Image ${imageId} of group ${group.id} was created`, [group.id, imageId])
  return [{
    groupId: group.id, imageId, name: readString(group.content, 'name'), createdAt: new Date(now).toISOString()
  }]
}
