/** One entry of the vendor's `response.errors`. */
export interface ErrorEntry {
  code: string
  message: string
  /** Dotted path of the offending body field, such as `group.capacity.target`. */
  field?: string
}

/** An error reply: its HTTP status and its entries. */
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
 * Every refusal of the sandbox: status, code and default text. Which codes are Spot's, and which ours: docs/sandbox.md.
 */
const REFUSALS = {
  UNKNOWN_ROUTE: [404, 'NotFound', 'No operation of the API has this method and path'],
  UNAUTHORIZED: [401, 'Unauthorized', 'The bearer token is missing, unknown or expired'],
  FORBIDDEN: [403, 'Forbidden', 'The token gives no access to this account'],
  ACCOUNT_ID_MISSING: [400, 'ValidationError', 'The query parameter "accountId" is required, once'],
  GROUP_DOESNT_EXIST: [400, 'GROUP_DOESNT_EXIST', 'Group doesn\'t exist'],
  MANAGED_INSTANCE_DOESNT_EXIST: [400, 'MANAGED_INSTANCE_DOESNT_EXIST', 'Managed instance doesn\'t exist'],
  INSTANCE_DOESNT_EXIST: [400, 'INSTANCE_DOESNT_EXIST', 'Instance doesn\'t exist'],
  STATEFUL_INSTANCE_DOESNT_EXIST: [400, 'STATEFUL_INSTANCE_DOESNT_EXIST', 'Stateful instance doesn\'t exist'],
  ROLL_DOESNT_EXIST: [400, 'ROLL_DOESNT_EXIST', 'Roll doesn\'t exist'],
  SUSPEND_PROCESSES_DOESNT_EXIST: [400, 'SUSPEND_PROCESSES_DOESNT_EXIST', 'Suspended process doesn\'t exist'],
  SCALING_POLICY_DOESNT_EXIST: [400, 'SCALING_POLICY_DOESNT_EXIST', 'Scaling policy doesn\'t exist'],
  MIGRATION_DOESNT_EXIST: [400, 'MIGRATION_DOESNT_EXIST', 'Migration doesn\'t exist'],
  VOLUME_DOESNT_EXIST: [400, 'VOLUME_DOESNT_EXIST', 'Volume doesn\'t exist'],
  // The text is the vendor's (zalando-stups/senza#558), the code the one of its ECS rolls.
  DEPLOYMENT_ALREADY_IN_PROGRESS: [
    400, 'DEPLOYMENT_ALREADY_IN_PROGRESS', 'Can\'t have 2 Rolls at the same time. Please stop the previous one.'
  ],
  CANT_UPDATE_GROUP_DURING_ROLL: [400, 'CANT_UPDATE_GROUP_DURING_ROLL', 'Group cannot be changed during a roll'],
  TOO_FEW_TO_ROLL: [400, 'CANT_ROLL_CAPACITY_BELOW_MINIMUM', 'Fewer instances are running than the minimum capacity'],
  CANT_STOP_ROLL: [400, 'CANT_STOP_ROLL', 'Roll cannot be stopped'],
  CANT_ACT_ON_ROLL: [400, 'CANT_ACT_ON_ROLL', 'Only a failed roll accepts actions'],
  CANT_CHANGE_STATEFUL_INSTANCE: [400, 'CANT_CHANGE_STATEFUL_INSTANCE', 'Stateful instance is in the wrong state'],
  CANT_CHANGE_INSTANCE: [400, 'CANT_CHANGE_INSTANCE', 'Instance is in the wrong state'],
  CANT_CHANGE_MANAGED_INSTANCE: [400, 'CANT_CHANGE_MANAGED_INSTANCE', 'Managed instance is in the wrong state'],
  LISTENER_RULE_MIGRATION_DOESNT_EXIST: [
    400, 'LISTENER_RULE_MIGRATION_DOESNT_EXIST', 'Listener rule migration doesn\'t exist'
  ],
  CANT_CHANGE_MAINTENANCE: [400, 'CANT_CHANGE_MAINTENANCE', 'Maintenance is in the wrong state'],
  DEPLOYMENT_DOESNT_EXIST: [400, 'DEPLOYMENT_DOESNT_EXIST', 'Deployment doesn\'t exist'],
  CANT_CHANGE_MIGRATION: [400, 'CANT_CHANGE_MIGRATION', 'Migration is in the wrong state'],
  CANT_CREATE_MIGRATION: [400, 'CANT_CREATE_MIGRATION', 'Instance cannot be migrated']
} as const satisfies Record<string, readonly [number, string, string]>

/** The refusal called `name`, ready to throw. */
export function refusal (name: keyof typeof REFUSALS, text?: string): SandboxError {
  const [status, code, message] = REFUSALS[name]
  return new SandboxError(status, [{ code, message: text ?? message }])
}

/** Several refusals in one reply, with the status of the first. */
export function refusals (...names: [keyof typeof REFUSALS, ...(keyof typeof REFUSALS)[]]): SandboxError {
  return new SandboxError(REFUSALS[names[0]][0], names.flatMap((name) => refusal(name).errors))
}

/** A 400 with all violations. The code is ours: no public source names the vendor's. */
export function invalid (violations: { message: string, field: string }[]): SandboxError {
  return new SandboxError(400, violations.map((violation) => ({ code: 'ValidationError', ...violation })))
}
