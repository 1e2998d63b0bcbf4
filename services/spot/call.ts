export interface SpotAccount {
  /** Spot's account id, `act-…`; sent with every call. */
  id: string
  /** Bearer token. */
  token: string
  /** Base URL; default: the vendor's. */
  endpoint?: string | undefined
  /** Organization whose rate limit applies; default: accounts that share a token. */
  organization?: string | undefined
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** Segments below the endpoint. */
export type Path = readonly string[]

export interface Payload {
  query?: Record<string, string | undefined>
  body?: unknown
  /** The one key that Spot wants around the body: `group` sends `{"group": body}`. */
  envelope?: string
  /** The resource that it changes, where its own path names another. */
  changes?: Path
}

/**
 * What a 200 must bring: a list of any length, at least one item, an item that has this property (of a create: without
 * its id nobody could find it), or nothing.
 */
export type Expectation = 'items' | 'item' | 'nothing' | { itemWith: string }

/** Milliseconds after which nobody waits for somebody else's call that has not ended. */
export const HANGING_AFTER = 2000

/** What holds for all calls of one request. */
export interface CallOptions {
  /** When it must be over, by the clock, however many calls it makes. */
  deadline: number
  /** Bypass memory. */
  fresh: boolean
  /** Client whose share of the rate limit the call uses. */
  client: string
  /** May use the part of the limit that is kept for reads that guard a write or search for a marker. */
  reserved: boolean
  /** The trace that it is a part of, as W3C writes it. */
  traceparent?: string | undefined
}

/** One upstream operation as it is asked for. */
export interface Call extends Payload, CallOptions {
  /** Name of the upstream operation, for logs and metrics. One to one with the template of the path and the method. */
  operation: string
  method: Method
  path: Path
  expects: Expectation
}

/** Whether a call could change something. Decided here alone: a caller's GET can make calls that only read. */
export const isWrite = ({ method }: Pick<Call, 'method'>) => method !== 'GET'

/** The two kinds of calls: each has a breaker, connections and metrics of its own. */
export type CallKind = 'reads' | 'writes'

export const kindOf = (call: Pick<Call, 'method'>): CallKind => isWrite(call) ? 'writes' : 'reads'
