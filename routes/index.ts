import type { Handlers } from '../openapi/handlers.js'
import { accounts } from './accounts.js'
import { capacity } from './capacity.js'
import { elastigroups } from './elastigroups.js'
import { imports } from './imports.js'
import { instances } from './instances.js'
import { rolls } from './rolls.js'
import { statefulInstances } from './stateful-instances.js'
import { system } from './system.js'

/** Every operation of the contract. */
export const handlers: Handlers = {
  ...accounts,
  ...elastigroups,
  ...capacity,
  ...rolls,
  ...statefulInstances,
  ...instances,
  ...imports,
  ...system
}
