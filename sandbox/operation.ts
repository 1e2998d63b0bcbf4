import type { Result } from './protocol/envelope.js'
import type { Account } from './world.js'

/** The shape of the items of `GET /aws/ec2/managedInstance`: clients have met both. */
export type ListShape = 'wrapped' | 'flat'

/** What an operation knows of a call. */
export interface Context {
  /** The caller's account; nothing else may be touched. */
  account: Account
  params: Record<string, string>
  query: Record<string, unknown>
  /** The parsed JSON body, undefined when there was none. */
  body: unknown
  /** Milliseconds since the epoch. */
  now: number
  listShape: ListShape
}

/** One operation of the vendor's API. */
export interface Operation {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** The vendor's template, such as `/aws/ec2/group/{groupId}`. */
  path: string
  /** `response.kind` of the reply; most actions have none. */
  kind?: string
  /** The items of the reply, or nothing for an action. Refuses by throwing a SandboxError. */
  handle: (context: Context) => Result
}
