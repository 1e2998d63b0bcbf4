import type { IncomingHttpHeaders } from 'node:http'

/** One call as the sandbox received it. The entry is made on arrival and completed as the call goes on. */
export interface RecordedCall {
  method: string
  /** The path as it was on the wire: nothing decoded, no query. */
  path: string
  /** The vendor's template, such as `/aws/ec2/group/{groupId}`; undefined when no operation matches. */
  route: string | undefined
  query: Record<string, string | string[]>
  /** All of them but `authorization`. */
  headers: IncomingHttpHeaders
  /** The parsed JSON; undefined when there was no body or none that is JSON. */
  body: unknown
  /** The status that was sent; undefined while, or because, none was. */
  status: number | undefined
  /** Whether a write was carried out, whatever the caller got to know of it. Reads never commit. */
  committed: boolean
  /** Milliseconds since the epoch, by the sandbox's clock. */
  at: number
}

/** The transcript keeps this many calls, the newest. */
export const LONGEST_TRANSCRIPT = 10_000

/** Adds a call, and forgets the oldest when there are too many. */
export function record (transcript: RecordedCall[], call: RecordedCall): void {
  transcript.push(call)
  if (transcript.length > LONGEST_TRANSCRIPT) transcript.shift()
}
