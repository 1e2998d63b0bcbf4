/** One entry of the vendor's `response.errors`. */
export interface ErrorEntry {
  code: string
  message: string
  /** Dotted path of the offending body field, such as `group.capacity.target`. */
  field?: string
}

/** A refusal: the HTTP status and the entries that the envelope will carry. */
export class SandboxError extends Error {
  readonly status: number
  readonly errors: ErrorEntry[]

  constructor (status: number, errors: ErrorEntry[]) {
    super(errors.map((entry) => entry.message).join('; '))
    this.name = 'SandboxError'
    this.status = status
    this.errors = errors
  }
}

/**
 * Every single refusal the sandbox knows. `*_DOESNT_EXIST` and their status 400 are the vendor's
 * (terraform-provider-spotinst issue #7); the other codes and texts are ours, the statuses the vendor's.
 */
const REFUSALS = {
  UNKNOWN_ROUTE: [404, 'NotFound', 'No operation of the API has this method and path'],
  UNAUTHORIZED: [401, 'Unauthorized', 'The bearer token is missing, unknown or expired'],
  FORBIDDEN: [403, 'Forbidden', 'The token gives no access to this account'],
  ACCOUNT_ID_MISSING: [400, 'ValidationError', 'The query parameter "accountId" is required, once'],
  GROUP_DOESNT_EXIST: [400, 'GROUP_DOESNT_EXIST', 'Group doesn\'t exist'],
  MANAGED_INSTANCE_DOESNT_EXIST: [400, 'MANAGED_INSTANCE_DOESNT_EXIST', 'Managed instance doesn\'t exist']
} as const satisfies Record<string, readonly [number, string, string]>

/** The refusal called `name`, ready to throw. */
export function refusal (name: keyof typeof REFUSALS): SandboxError {
  const [status, code, message] = REFUSALS[name]
  return new SandboxError(status, [{ code, message }])
}

/** A 400 that names every violation at once. The code is ours: no public source names the vendor's. */
export function invalid (violations: { message: string, field: string }[]): SandboxError {
  return new SandboxError(400, violations.map((violation) => ({ code: 'ValidationError', ...violation })))
}
