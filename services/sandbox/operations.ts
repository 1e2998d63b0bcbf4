import { elastigroups } from './elastigroups.js'
import { managedInstances } from './managed-instances.js'
import type { Operation } from './operation.js'

/** Every operation the sandbox knows. */
export const OPERATIONS: Operation[] = [...elastigroups, ...managedInstances]
