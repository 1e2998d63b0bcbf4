import type { Machine } from '../machines/machine.js'

/** Vendor vocabulary; `failed` blocks the group like `in_progress` until the roll is stopped. */
export type RollStatus = 'starting' | 'in_progress' | 'finished' | 'stopped' | 'failed'

/** What becomes of a batch whose new instances are not healthy. */
export interface RollAction {
  actionType: 'DETACH_OLD' | 'DETACH_NEW'
  shouldHandleAllBatches: boolean
  shouldDecrementTargetCapacity: boolean
  /** Seconds. */
  drainingTimeout: number
}

/** What was ordered when the roll was started. */
export interface RollOrder {
  /** Seconds that the instances of a batch get before their health counts. */
  gracePeriod: number
  healthCheckType: string
  /** Seconds. */
  drainingTimeout: number
  action: 'REPLACE_SERVER' | 'RESTART_SERVER'
  batchMinHealthyPercentage: number
  onFailure: RollAction | undefined
}

/** The machines that are replaced together, each with its place among all. */
export interface Batch {
  blue: { machine: Machine, place: number }[]
  /** Their successors, in the same order; empty until the batch begins. */
  green: Machine[]
}

/** A deployment that replaces the machines of a group batch by batch. */
export interface Roll {
  id: string
  status: RollStatus
  /** Milliseconds since the epoch, like `updatedAt`. */
  createdAt: number
  updatedAt: number
  order: RollOrder
  batches: Batch[]
  /** How many batches have begun: the current one is the last of them. */
  begun: number
  /** How many batches are done. */
  done: number
}
