import type { Context, Operation } from '../operation.js'
import { refusal } from '../protocol/errors.js'
import { readObjects } from '../protocol/json.js'
import { merge } from '../resources/merge.js'
import { findManagedInstance } from './noun.js'

/** The volumes that a managed instance keeps attached. */
export const volumes: Operation[] = [
  { method: 'DELETE', path: '/aws/ec2/managedInstance/{MI_ID}/volume/{volumeId}', handle: deleteVolume }
]

/** There are those of `compute.volumeAttachments`, and a deleted one is no longer among them. */
function deleteVolume (context: Context): undefined {
  const instance = findManagedInstance(context)
  const attached = readObjects(instance.content, 'compute.volumeAttachments.volumes')
  const left = attached.filter(({ volumeId }) => volumeId !== context.params.volumeId)
  if (left.length === attached.length) throw refusal('VOLUME_DOESNT_EXIST')
  instance.content = merge(instance.content, { compute: { volumeAttachments: { volumes: left } } })
  instance.updatedAt = context.now
}
