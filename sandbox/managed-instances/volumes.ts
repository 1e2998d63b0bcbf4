import type { Context, Operation } from '../operation.js'
import { refusal } from '../protocol/errors.js'
import { readObjects } from '../protocol/json.js'
import { merge } from '../resources/merge.js'
import { findManagedInstance } from './engine.js'

/** Volumes of a managed instance. */
export const volumes: Operation[] = [
  { method: 'DELETE', path: '/aws/ec2/managedInstance/{MI_ID}/volume/{volumeId}', handle: deleteVolume }
]

/** Removes the volume from `compute.volumeAttachments`. */
function deleteVolume (context: Context): undefined {
  const instance = findManagedInstance(context)
  const attached = readObjects(instance.content, 'compute.volumeAttachments.volumes')
  const left = attached.filter(({ volumeId }) => volumeId !== context.params.volumeId)
  if (left.length === attached.length) throw refusal('VOLUME_DOESNT_EXIST')
  instance.content = merge(instance.content, { compute: { volumeAttachments: { volumes: left } } })
  instance.updatedAt = context.now
}
