import type { Resource } from '../resources/resource.js'

/** `STEADY` is ours and never shown: it comes up, or is up. The rest are the states of a pause, resume and recycle. */
export type ManagedInstanceState = 'STEADY' | 'PAUSING' | 'PAUSED' | 'RESUMING' | 'RECYCLING'

/** A managed instance: one machine, or none while it is paused. */
export interface ManagedInstance extends Resource {
  state: ManagedInstanceState
}
