import { createHash } from 'node:crypto'
import { endpointOf } from './wire/target.js'

/** Whom Spot counts calls for. */
export interface Organization {
  /** As configured, or the name of its first account. */
  name: string
  /** The same on every server. Nothing of the token can be found out from it. */
  id: string
}

interface Member {
  token: string
  endpoint?: string | undefined
  organization?: string | undefined
}

/**
 * Organizations of the accounts, by account: the one that is configured, else accounts with one token share one. Spot
 * does not say. Only a hash of the token is kept.
 */
export function organizationsOf (accounts: Record<string, Member>): Map<string, Organization> {
  const known = new Map<string, Organization>()
  return new Map(Object.entries(accounts).map(([account, { token, endpoint, organization }]) => {
    const mark = JSON.stringify([endpointOf(endpoint), organization === undefined ? { token } : organization])
    const id = createHash('sha256').update(mark).digest('hex').slice(0, 32)
    const found = known.get(id) ?? { name: organization ?? account, id }
    known.set(id, found)
    return [account, found]
  }))
}
