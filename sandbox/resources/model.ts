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

/** Schedules a task at `at` (milliseconds since the epoch); it does not run if the resource is deleted by then. */
export function schedule (resource: Resource, at: number, task: string, ...ids: string[]): void {
  resource.agenda.add(at, task, [resource.id, ...ids])
}

/** The machine called `instanceId`, running or ended. */
export function machineOf (resource: Resource, instanceId: string | undefined): Machine | undefined {
  return resource.machines.find((machine) => machine.instanceId === instanceId)
}
