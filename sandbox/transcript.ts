import type { IncomingHttpHeaders } from 'node:http'

/** One call as received. The entry is made on arrival and completed later. */
export interface RecordedCall {
  method: string
  /** The path as received: not decoded, without the query. */
  path: string
  /** The vendor's template, such as `/aws/ec2/group/{groupId}`; undefined if no operation matches. */
  route: string | undefined
  query: Record<string, string | string[]>
  /** All but `authorization`. */
  headers: IncomingHttpHeaders
  /** The parsed JSON; undefined if there was no JSON body. */
  body: unknown
  /** The status that was sent; undefined if none was, or not yet. */
  status: number | undefined
  /** Whether a write was carried out, even if the caller was not told. False for reads. */
  committed: boolean
  /** Milliseconds since the epoch, by the sandbox's clock. */
  at: number
}

/** A line of the log: when, what, the status that was sent, and after how many milliseconds. */
export function lineOf ({ at, method, status }: RecordedCall, url: string, took: number): string {
  return `${new Date(at).toISOString()} ${method} ${url} ${status ?? 'no answer'} ${Math.round(took)} ms`
}

/** Most calls that the transcript keeps. */
export const LONGEST_TRANSCRIPT = 10_000

/** Adds a call and forgets the oldest if there are too many. */
export function record (transcript: RecordedCall[], call: RecordedCall): void {
  transcript.push(call)
  if (transcript.length > LONGEST_TRANSCRIPT) transcript.shift()
}
