const DAY = /^\d{4}-\d{2}-\d{2}$/
const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$/

/**
 * Reads a date of the query: a day (its midnight, UTC), an ISO date-time (UTC if it has no zone), or a Unix time,
 * which is seconds in the cost operations and milliseconds in the list filters.
 * @returns milliseconds since the epoch, or undefined when it is none of these
 */
export function readDate (text: string, unix: 'seconds' | 'milliseconds'): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) * (unix === 'seconds' ? 1000 : 1)
  if (!DAY.test(text) && !DATE_TIME.test(text)) return undefined
  const zoned = /Z|[+-]\d{2}:?\d{2}$/.test(text) || DAY.test(text)
  const time = Date.parse(zoned ? text : `${text}Z`)
  return Number.isNaN(time) ? undefined : time
}

/** The date format of events and rolls: `2018-03-27T19:50:12.000+0000`. */
export function offsetDate (time: number): string {
  return new Date(time).toISOString().replace('Z', '+0000')
}
