import { createHash } from 'node:crypto'

/** A number for a resource, always the same. */
export const phaseOf = (name: string): number => createHash('sha1').update(name).digest().readUInt16BE()

/**
 * Seconds until the next of the moments, `every` seconds apart, at which all who wait for a resource come back:
 * together, so that one call answers them. Those who wait for another resource come at other moments.
 *
 * @param now milliseconds, of a clock that all servers share
 */
export const secondsUntilNext = (every: number, phase: number, now: number): number =>
  every - (Math.floor(now / 1000) + phase) % every
