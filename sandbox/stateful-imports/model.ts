import type { JsonObject } from '../protocol/json.js'

/** Options of an import. */
export interface StatefulImportOptions {
  originalInstanceId: string
  name: string
  region: string | undefined
  product: string | undefined
  shouldKeepPrivateIp: boolean
  /** False: somebody has to order it, by `userAction`. */
  shouldTerminateInstance: boolean
  spotInstanceTypes: string[]
  /** Undefined: that of the original. */
  availabilityZones: JsonObject[] | undefined
}

/** An EC2 instance on its way to a stateful group. Its steps depend only on options, phase and clock. */
export interface StatefulImport {
  id: string
  /** The group exists once the import has finished. */
  groupId: string
  options: StatefulImportOptions
  /** `moving` follows a user action; without one the instance is moved in the first phase. */
  phase: 'copying' | 'moving' | 'cancelled'
  /** When the phase began: milliseconds since the epoch. */
  startedAt: number
}
