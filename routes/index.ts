import type { Handlers } from '../openapi/handlers.js'
import { accounts } from './accounts.js'
import { capacity } from './capacity.js'
import { elastigroupInstances } from './elastigroup-instances.js'
import { elastigroups, markedElastigroups } from './elastigroups.js'
import { imports } from './imports.js'
import { instances, markedInstances } from './instances.js'
import { rolls } from './rolls.js'
import { statefulInstances } from './stateful-instances.js'
import { system } from './system.js'

/**
 * Finds what a create with an Idempotency-Key made, by the marker in its tags. Rolls and imports have no tags, so they
 * have no finder.
 */
export const finders = { createElastigroup: markedElastigroups, createInstance: markedInstances }

/** One handler for each operation of the document. */
export const handlers: Handlers = {
  ...accounts,
  ...elastigroups,
  ...capacity,
  ...rolls,
  ...statefulInstances,
  ...elastigroupInstances,
  ...instances,
  ...imports,
  ...system
}
