import { Problem } from '../../problems/index.js'
import type { Path } from '../call.js'
import { isReserved } from '../segments.js'

export const GROUPS: Path = ['aws', 'ec2', 'group']
export const MANAGED_INSTANCES: Path = ['aws', 'ec2', 'managedInstance']

/** @throws {Problem} resource-not-found when Spot has an operation of its own where the id stands */
function idOf (id: string): string {
  if (!isReserved(id)) return id
  throw new Problem('resource-not-found', { detail: `${JSON.stringify(id)} is no id of Spot's.` })
}

/** Path of an Elastigroup, or of what it has. */
export const groupPath = (id: string, ...rest: string[]): Path => [...GROUPS, idOf(id), ...rest]

/** Path of a managed instance, or of what it has. */
export const managedInstancePath = (id: string, ...rest: string[]): Path => [...MANAGED_INSTANCES, idOf(id), ...rest]
