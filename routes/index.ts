import type { Handlers } from '../openapi/handlers.js'
import { elastigroups } from './elastigroups.js'
import { instances } from './instances.js'
import { system } from './system.js'

/** Every operation of the contract. */
export const handlers: Handlers = { ...elastigroups, ...instances, ...system }
