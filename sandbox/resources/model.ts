import type { Agenda } from '../agenda.js'
import type { Machine } from '../machines/model.js'
import type { JsonObject } from '../protocol/json.js'

/** A group or a managed instance. */
export interface Resource {
  id: string
  /** Milliseconds since the epoch, like the other two. */
  createdAt: number
  updatedAt: number
  /** Undefined while it lives. */
  deletedAt?: number
  /** What was sent, without envelope, id and dates. */
  content: JsonObject
  /** All machines so far, oldest first. Ended ones stay, because they count in the costs. */
  machines: Machine[]
  /** The agenda of its account. */
  agenda: Agenda
}

/** Schedules `run` at `at` (milliseconds since the epoch), unless the resource is deleted by then. */
export function schedule (resource: Resource, at: number, run: (at: number) => void): void {
  resource.agenda.add(at, (time) => { if (resource.deletedAt === undefined) run(time) })
}
