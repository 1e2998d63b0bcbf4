/** What was asked for when a migration was started. */
export interface MigrationOrder {
  originalInstanceId: string
  region: string
  managedInstanceName: string | undefined
  product: string
  shouldKeepPrivateIp: boolean
  shouldKeepMetadataOptions: boolean
  shouldTerminateInstance: boolean
  spotInstanceTypes: string[]
  subnetIds: string[]
}

/** A step of a migration, with the seconds that it takes (Infinity: the last). */
export interface Step {
  state: string
  description: string
  seconds: number
}

/** An instance of AWS on its way to become a managed instance. Its steps follow from its order and the clock alone. */
export interface Migration {
  id: string
  managedInstanceId: string
  order: MigrationOrder
  steps: Step[]
  /** Milliseconds since the epoch. */
  startedAt: number
}
