/** What a delete takes with it. Spot keeps whatever is not named. */
export interface Deallocation {
  shouldDeleteImages: boolean
  shouldDeleteVolumes: boolean
  shouldDeleteSnapshots: boolean
  shouldDeleteNetworkInterfaces: boolean
}

/** A delete takes everything unless told otherwise, as the earlier Go service did. */
export const EVERYTHING: Deallocation = {
  shouldDeleteImages: true,
  shouldDeleteVolumes: true,
  shouldDeleteSnapshots: true,
  shouldDeleteNetworkInterfaces: true
}

/** A managed instance has an EC2 instance of its own to end. */
export interface InstanceDeallocation extends Deallocation {
  shouldTerminateInstance: boolean
}

/** First and last day, `YYYY-MM-DD`. */
export interface CostRange {
  fromDate: string
  toDate: string
}
