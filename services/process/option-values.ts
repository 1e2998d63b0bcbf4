/** A command line that is not valid; the message says why. */
export class UsageError extends Error {}

/** @throws {UsageError} unless `text` is a whole number in these bounds */
export function whole (option: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new UsageError(`${option} must be a whole number from ${least} to ${most}.`)
}
