import { beanstalk } from './beanstalk/operations.js'
import { capacity } from './elastigroups/capacity.js'
import { detachment } from './elastigroups/detachment.js'
import { deployments } from './deployments/operations.js'
import { health } from './elastigroups/health.js'
import { elastigroups } from './elastigroups/operations.js'
import { scaling } from './elastigroups/scaling.js'
import { imports } from './imports/operations.js'
import { instances } from './instances/operations.js'
import { journals } from './journal/operations.js'
import { listenerRules } from './listener-rules/operations.js'
import { machineOperations } from './machines/operations.js'
import { actions } from './managed-instances/actions.js'
import { managedInstances } from './managed-instances/operations.js'
import { volumes } from './managed-instances/volumes.js'
import { migrations } from './migrations/operations.js'
import type { Operation } from './operation.js'
import { rolls } from './rolls/operations.js'
import { statefulInstances } from './stateful-instances/operations.js'
import { statefulImports } from './stateful-imports/operations.js'
import { suspensions } from './suspensions/operations.js'
import { policySuspensions } from './suspensions/policies.js'

/** Every operation of the sandbox. */
export const OPERATIONS: Operation[] = [
  ...elastigroups,
  ...capacity,
  ...scaling,
  ...health,
  ...detachment,
  ...rolls,
  ...deployments,
  ...listenerRules,
  ...journals,
  ...suspensions,
  ...policySuspensions,
  ...instances,
  ...imports,
  ...beanstalk,
  ...machineOperations,
  ...statefulInstances,
  ...managedInstances,
  ...actions,
  ...volumes,
  ...migrations,
  ...statefulImports
]
