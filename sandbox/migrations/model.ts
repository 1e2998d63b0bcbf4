/** Options of a migration. */
export interface MigrationOptions {
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

/** An EC2 instance on its way to a managed instance. Its steps depend only on options and clock. */
export interface Migration {
  id: string
  managedInstanceId: string
  options: MigrationOptions
  /** Milliseconds since the epoch. */
  startedAt: number
}
