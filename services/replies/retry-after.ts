import { createHash } from 'node:crypto'

/**
 * Seconds by which the moments to ask for a resource are shifted: the same for all who wait for it, so that they come
 * back together and one call answers them, and others for other resources, so that not everything is asked at once.
 */
export const offsetOf = (name: string): number => createHash('sha1').update(name).digest().readUInt16BE()

/**
 * Seconds until the next moment to ask.
 *
 * @param interval seconds between two moments
 * @param now milliseconds since the epoch, which all servers count alike
 */
export const secondsUntilNext = (interval: number, offset: number, now: number): number =>
  interval - (Math.floor(now / 1000) + offset) % interval
