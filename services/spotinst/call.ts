export interface SpotAccount {
  /** Spot's account id, `act-…`; sent with every call. */
  id: string
  /** Bearer token. */
  token: string
  /** Base URL; the vendor's unless set. */
  endpoint?: string | undefined
  /** Whom Spot's rate limit counts it for; that of the other accounts with the same token unless set. */
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
}

/** One upstream operation as it is asked for. */
export interface Call extends Payload {
  /** Name of the upstream operation, for logs and metrics. One to one with the template of the path and the method. */
  operation: string
  method: Method
  path: Path
  /** The trace that the call is a part of, as W3C writes it. */
  traceparent?: string | undefined
}

/** Whether a call could change something. */
export const isWrite = ({ method }: Pick<Call, 'method'>) => method !== 'GET'
