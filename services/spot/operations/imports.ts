import type { components } from '../../../openapi/types.js'
import { MANAGED_INSTANCES } from './paths.js'
import type { Spot } from './spot.js'

type Import = components['schemas']['InstanceImport']

const root = [...MANAGED_INSTANCES, 'migration']

/** Spot's operations that make managed instances of EC2 instances; Spot calls them migrations. */
export const imports = (spot: Spot) => ({
  create: (body: object): Promise<Import> =>
    spot.created('migrationId', 'createImport', 'POST', root, { body, envelope: 'migration' }),

  get: (id: string): Promise<Import> =>
    spot.item('getImport', 'GET', [...root, id])
})
