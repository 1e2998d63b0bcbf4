import type { Machine } from '../machines/model.js'
import type { JsonObject } from '../protocol/json.js'

/** Vendor vocabulary; `failed` blocks the group like `in_progress` until the roll is stopped. */
export type RollStatus = 'starting' | 'in_progress' | 'finished' | 'stopped' | 'failed'

/** What to do with a batch whose new instances are not healthy. */
export interface RollAction {
  actionType: 'DETACH_OLD' | 'DETACH_NEW'
  shouldHandleAllBatches: boolean
  shouldDecrementTargetCapacity: boolean
  /** Seconds. */
  drainingTimeout: number
}

/** Options of a roll. */
export interface RollOptions {
  /** Seconds before the health of a batch's instances counts. */
  gracePeriod: number
  healthCheckType: string
  /** Seconds. */
  drainingTimeout: number
  action: 'REPLACE_SERVER' | 'RESTART_SERVER'
  batchMinHealthyPercentage: number
  onFailure: RollAction | undefined
}

/** Machines that are replaced together, each with its slot in the group. */
export interface Batch {
  blue: { machine: Machine, slot: number }[]
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
  options: RollOptions
  /** What was ordered, if this is a deployment of CodeDeploy and not a roll. */
  deployment?: JsonObject
  batches: Batch[]
  /** Batches begun; the current one is the last of them. */
  begun: number
  /** Batches done. */
  done: number
}
