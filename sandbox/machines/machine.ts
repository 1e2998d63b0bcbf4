/** One instance over its life. Its identity is fixed when it is asked for and never changes. */
export interface Machine {
  instanceId: string
  /** Null when it is on demand. */
  spotInstanceRequestId: string | null
  instanceType: string
  availabilityZone: string
  privateIp: string
  publicIp: string
  /** Whether it passes health checks once it runs. */
  sound: boolean
  /** Milliseconds since the epoch; it runs RUNNING_AFTER_MS later. */
  requestedAt: number
  /** Milliseconds since the epoch, a while ahead while it is drained; undefined while it is wanted. */
  endedAt?: number
}

/** After this many milliseconds a request has been looked at, but has no instance yet. */
export const EVALUATED_AFTER_MS = 5_000
/** After this many milliseconds the instance runs. */
export const RUNNING_AFTER_MS = 20_000
/** It takes this many milliseconds to pause an instance: to stop it and save its disks. */
export const STOPPING_MS = 30_000

/** Whether the instance has come up, and so has an id and addresses to show. */
export function running (machine: Machine, now: number): boolean {
  return now >= machine.requestedAt + RUNNING_AFTER_MS
}

/** `SPOT`, as the vendor's example has it, or `OD`, which is our word. */
export function lifeCycle (machine: Machine): 'SPOT' | 'OD' {
  return machine.spotInstanceRequestId === null ? 'OD' : 'SPOT'
}
