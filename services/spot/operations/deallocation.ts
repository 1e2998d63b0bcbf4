/** What a delete takes with it. Spot keeps whatever is not named. */
export interface Deallocation {
  shouldDeleteImages: boolean
  shouldDeleteVolumes: boolean
  shouldDeleteSnapshots: boolean
  shouldDeleteNetworkInterfaces: boolean
}

/** A managed instance has an EC2 instance of its own to end. */
export interface InstanceDeallocation extends Deallocation {
  shouldTerminateInstance: boolean
}

/** A delete takes everything unless the caller keeps a part of it, as the earlier Go service did. */
export const deallocationOf = ({
  shouldDeleteImages = true,
  shouldDeleteVolumes = true,
  shouldDeleteSnapshots = true,
  shouldDeleteNetworkInterfaces = true
}: Partial<Deallocation>): Deallocation =>
  ({ shouldDeleteImages, shouldDeleteVolumes, shouldDeleteSnapshots, shouldDeleteNetworkInterfaces })

/** Images of Spot's AMI backup are separate: Spot keeps them unless asked. */
export const amiBackup = (shouldDeleteImages: boolean | undefined) =>
  shouldDeleteImages === undefined ? {} : { amiBackup: { shouldDeleteImages } }
