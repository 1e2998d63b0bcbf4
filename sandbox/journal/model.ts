import { lifeCycle } from '../machines/model.js'
import type { Machine } from '../machines/model.js'
import type { JsonObject } from '../protocol/json.js'

/** One event of a group, with its sub-events. */
export interface GroupEvent {
  eventType: string
  /** Milliseconds since the epoch. */
  at: number
  subEvents: JsonObject[]
}

export type Severity = 'INFO' | 'DEBUG' | 'WARN'

/** One line of a group's log. */
export interface LogEntry {
  message: string
  severity: Severity
  /** Milliseconds since the epoch. */
  at: number
  /** Ids of the instances, spot requests, rolls and so on that the line is about. */
  about: string[]
}

/** Events and log of a group, oldest first. Only what really happened is recorded. */
export interface Journal {
  events: GroupEvent[]
  log: LogEntry[]
}

/** Most events, and most log lines, that a journal keeps. */
const LONGEST = 10_000

/** Records an event and forgets the oldest if there are too many. */
export function recordEvent (journal: Journal, at: number, eventType: string, subEvents: JsonObject[] = []): void {
  journal.events.push({ eventType, at, subEvents })
  if (journal.events.length > LONGEST) journal.events.shift()
}

/** Records a log line and forgets the oldest if there are too many. */
export function writeLog (
  journal: Journal, at: number, message: string, about: string[] = [], severity: Severity = 'INFO'
): void {
  journal.log.push({ message, severity, at, about })
  if (journal.log.length > LONGEST) journal.log.shift()
}

/** Ids under which a log line about a machine can be found. */
export function idsOf (machine: Machine): string[] {
  return [machine.instanceId, ...machine.spotInstanceRequestId === null ? [] : [machine.spotInstanceRequestId]]
}

/** Sub-events for machines that were launched and ended. Names and keys: Go SDK, SubEvent. */
export function scalingSubEvents (launched: Machine[], ended: Machine[]): JsonObject[] {
  const came = { type: 'scaleUp', newSpots: spots(launched), newInstances: onDemand(launched) }
  const went = { type: 'scaleDown', terminatedSpots: spots(ended), terminatedInstances: onDemand(ended) }
  return [...launched.length > 0 ? [came] : [], ...ended.length > 0 ? [went] : []]
}

/** Sub-event for machines that replaced others. */
export function replacementSubEvent (old: Machine[], fresh: Machine[]): JsonObject {
  const requests = (machines: Machine[]) => machines.flatMap((machine) => machine.spotInstanceRequestId ?? [])
  const instances = (machines: Machine[]) => machines.map((machine) => machine.instanceId)
  return {
    type: 'recoverInstances',
    oldSpotRequestIDs: requests(old),
    newSpotRequestIDs: requests(fresh),
    oldInstanceIDs: instances(old),
    newInstanceIDs: instances(fresh)
  }
}

function spots (machines: Machine[]): JsonObject[] {
  return machines.flatMap(({ spotInstanceRequestId }) => spotInstanceRequestId === null
    ? []
    : [{ spotInstanceRequestId }])
}

function onDemand (machines: Machine[]): JsonObject[] {
  return machines.filter((machine) => lifeCycle(machine) === 'OD').map(({ instanceId }) => ({ instanceId }))
}
