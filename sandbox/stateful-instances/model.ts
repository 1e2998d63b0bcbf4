import type { Machine } from '../machines/model.js'

/** Vendor OpenAPI: the final states, and the ones on the way to them. */
export type StatefulState = 'ACTIVE' | 'PAUSING' | 'PAUSED' | 'RESUMING' | 'RECYCLING' | 'DEALLOCATING' | 'DEALLOCATED'

/** A disk that outlives the machine. */
export interface Device {
  deviceName: string
  volumeId: string
  snapshotId: string
}

/** A stateful instance: its disks and its address stay, its machine changes. */
export interface StatefulInstance {
  id: string
  state: StatefulState
  /** Undefined while there is none. */
  machine: Machine | undefined
  /** Milliseconds since the epoch. */
  createdAt: number
  devices: Device[]
}
