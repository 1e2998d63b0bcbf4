import { capacity } from './elastigroups/capacity.js'
import { detachment } from './elastigroups/detachment.js'
import { elastigroups } from './elastigroups/elastigroups.js'
import { events } from './elastigroups/events.js'
import { health } from './elastigroups/health.js'
import { logs } from './elastigroups/logs.js'
import { rolls } from './elastigroups/rolls.js'
import { scaling } from './elastigroups/scaling.js'
import { statefulInstances } from './elastigroups/stateful-instances.js'
import { suspensions } from './elastigroups/suspensions.js'
import { actions } from './managed-instances/actions.js'
import { managedInstances } from './managed-instances/managed-instances.js'
import { migrations } from './managed-instances/migrations.js'
import { volumes } from './managed-instances/volumes.js'
import type { Operation } from './operation.js'

/** Every operation the sandbox knows. */
export const OPERATIONS: Operation[] = [
  ...elastigroups,
  ...capacity,
  ...scaling,
  ...health,
  ...detachment,
  ...rolls,
  ...events,
  ...logs,
  ...suspensions,
  ...statefulInstances,
  ...managedInstances,
  ...actions,
  ...volumes,
  ...migrations
]
