import { randomBytes } from 'node:crypto'
import { refusal } from './errors.js'

/** An account of the simulated Spot, and its token. */
export interface AccountAccess {
  id: string
  token: string
}

/** The id of the account a sandbox has when none is given. */
export const DEFAULT_ACCOUNT = 'act-5a9db0c5'

/** The account a sandbox has when none is given: its token is made anew at every start. */
export function defaultAccess (): AccountAccess[] {
  return [{ id: DEFAULT_ACCOUNT, token: randomBytes(32).toString('hex') }]
}

/** Who may use which account. Accounts with the same token belong to one organization, which the token stands for. */
export class Authorization {
  readonly #accountsByToken = new Map<string, Set<string>>()
  readonly #accounts: Set<string>
  readonly #takesAnyToken: boolean

  /** With `takesAnyToken` each token opens all accounts; the tokens of the accounts do not matter. */
  constructor (accounts: AccountAccess[], takesAnyToken = false) {
    this.#accounts = new Set(accounts.map(({ id }) => id))
    this.#takesAnyToken = takesAnyToken
    for (const { id, token } of accounts) {
      const ids = this.#accountsByToken.get(token) ?? new Set()
      this.#accountsByToken.set(token, ids.add(id))
    }
  }

  /** The organization behind an `Authorization` header, or undefined when the token is missing or unknown. */
  organizationOf (header: string | undefined): string | undefined {
    const token = /^Bearer (\S+)$/i.exec(header ?? '')?.[1]
    return token !== undefined && (this.#takesAnyToken || this.#accountsByToken.has(token)) ? token : undefined
  }

  /**
   * The id of the account that a call may use.
   * @throws SandboxError 401 bad or missing token, 400 no (or several) accountId, 403 not this token's account
   */
  admit (organization: string | undefined, accountId: unknown): string {
    if (organization === undefined) throw refusal('UNAUTHORIZED')
    // The vendor falls back to the oldest account, but programmatic tokens need it in practice
    // (zalando-stups/documentation#153): a client that forgets it should find out here.
    if (typeof accountId !== 'string' || accountId === '') throw refusal('ACCOUNT_ID_MISSING')
    const open = this.#takesAnyToken ? this.#accounts : this.#accountsByToken.get(organization)
    if (!open?.has(accountId)) throw refusal('FORBIDDEN')
    return accountId
  }
}
