import type { Handlers } from '../openapi/handlers.js'
import { accounts } from './accounts.js'
import { capacity } from './capacity.js'
import { elastigroups, markedElastigroups } from './elastigroups.js'
import { imports } from './imports.js'
import { instances, markedInstances } from './instances.js'
import { rolls } from './rolls.js'
import { statefulInstances } from './stateful-instances.js'
import { system } from './system.js'

/** How to find what a create with an Idempotency-Key made. Rolls and imports have no tags: there is none for them. */
export const finders = { createElastigroup: markedElastigroups, createInstance: markedInstances }

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
