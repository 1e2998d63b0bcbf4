import type { Call, SpotAccount } from '../call.js'
import { SPOT_ENDPOINT, targetOf } from './target.js'

/** A call as it goes over the wire, all but what the HTTP client adds to it. */
export interface SpotRequest {
  url: URL
  headers: Record<string, string>
  /** JSON. */
  body: string | undefined
}

export function requestOf (account: SpotAccount, { path, query, body, envelope, traceparent }: Call): SpotRequest {
  const wrapped = envelope === undefined ? body : { [envelope]: body }
  return {
    url: targetOf(account.endpoint ?? SPOT_ENDPOINT, path, { ...query, accountId: account.id }),
    headers: {
      authorization: `Bearer ${account.token}`,
      ...wrapped !== undefined && { 'content-type': 'application/json' },
      ...traceparent !== undefined && { traceparent }
    },
    body: wrapped === undefined ? undefined : JSON.stringify(wrapped)
  }
}
