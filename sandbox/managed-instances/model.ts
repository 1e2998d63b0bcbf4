import type { Resource } from '../resources/model.js'

/** `STEADY` is ours and never shown: it is starting or up. The others belong to pause, resume and recycle. */
export type ManagedInstanceState = 'STEADY' | 'PAUSING' | 'PAUSED' | 'RESUMING' | 'RECYCLING'

/** A managed instance: one machine, or none while it is paused. */
export interface ManagedInstance extends Resource {
  state: ManagedInstanceState
}
