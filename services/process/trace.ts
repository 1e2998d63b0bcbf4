import { randomBytes } from 'node:crypto'

/** A trace that a request is a part of: https://www.w3.org/TR/trace-context/ */
export interface Trace {
  /** 32 hexadecimal digits. */
  id: string
  /** `traceparent` of the calls to Spot: this server's part of the trace is their parent. */
  parent: string
}

/** @param header `traceparent`; an invalid one is ignored, as the standard requires */
export function traceOf (header: string | string[] | undefined): Trace | undefined {
  const [, id, flags] = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-([\da-f]{2})(?:$|-)/
    .exec(typeof header === 'string' ? header : '') ?? []
  return id && flags ? { id, parent: `00-${id}-${randomBytes(8).toString('hex')}-${flags}` } : undefined
}
