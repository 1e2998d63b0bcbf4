import type { Agenda } from '../agenda.js'
import type { Machine } from '../machines/machine.js'
import type { JsonObject } from '../protocol/json.js'

/** A group or a managed instance as the sandbox holds it. */
export interface Resource {
  id: string
  /** Milliseconds since the epoch, like the other two. */
  createdAt: number
  updatedAt: number
  /** Undefined while it lives. */
  deletedAt?: number
  /** What was sent, without the envelope; id and dates are kept beside it. */
  content: JsonObject
  /** Every machine it ever had, oldest first. The gone ones stay, as the costs count them. */
  machines: Machine[]
  /** That of its account. */
  agenda: Agenda
}

/** Has `run` happen to the resource at `at` (milliseconds since the epoch), unless it is deleted by then. */
export function later (resource: Resource, at: number, run: (at: number) => void): void {
  resource.agenda.add(at, (time) => { if (resource.deletedAt === undefined) run(time) })
}
