import { MASK, masked } from '../masking/index.js'
import type { Call, Method, SpotAccount } from './call.js'
import { requestOf } from './wire/request.js'

/** What a write would have sent; thrown in its place. */
export class DryRun extends Error {
  override name = 'DryRun'

  constructor (
    readonly request: { method: Exclude<Method, 'GET'>, url: string, headers: object, body: object | null }
  ) {
    super('nothing was sent')
  }
}

/** The request of a write as it would be sent, its secrets masked. */
export function dryRun (account: SpotAccount, call: Call): DryRun {
  const { url, headers, body } = requestOf(account, call)
  return new DryRun({
    method: call.method as Exclude<Method, 'GET'>,
    url: url.href,
    headers: { accept: 'application/json', ...headers, authorization: MASK },
    body: body === undefined ? null : masked(JSON.parse(body))
  })
}
