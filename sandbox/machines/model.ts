/** One EC2 instance over its life. Its ids and addresses are fixed at the request. */
export interface Machine {
  instanceId: string
  /** Null when it is on demand. */
  spotInstanceRequestId: string | null
  instanceType: string
  availabilityZone: string
  privateIp: string
  publicIp: string
  /** Whether it passes its health checks once it runs. */
  healthy: boolean
  /** Milliseconds since the epoch; it runs RUNNING_AFTER_MS later. */
  requestedAt: number
  /** Milliseconds since the epoch, in the future while it drains; undefined while it is active. */
  endedAt?: number
  /** Protected from termination until then, milliseconds since the epoch (Infinity: until unlocked). */
  lockedUntil?: number
  /** Whether it is in standby. */
  standby: boolean
}

/** Whether the instance is locked at `now`. */
export function locked ({ lockedUntil = 0 }: Machine, now: number): boolean {
  return lockedUntil > now
}

/** Milliseconds until a request is evaluated; it has no instance yet. */
export const EVALUATED_AFTER_MS = 5_000
/** Milliseconds until the instance runs. */
export const RUNNING_AFTER_MS = 20_000
/** Milliseconds to pause an instance: to stop it and save its disks. */
export const STOPPING_MS = 30_000

/** Whether the instance is up, so that its id and addresses are shown. */
export function running (machine: Machine, now: number): boolean {
  return now >= machine.requestedAt + RUNNING_AFTER_MS
}

/** `SPOT`, as in the vendor's example, or `OD`, which is our word. */
export function lifeCycle (machine: Machine): 'SPOT' | 'OD' {
  return machine.spotInstanceRequestId === null ? 'OD' : 'SPOT'
}
