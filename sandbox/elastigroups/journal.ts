import { lifeCycle } from '../machines/machine.js'
import type { Machine } from '../machines/machine.js'
import type { JsonObject } from '../protocol/json.js'

/** One thing that happened to a group, with its parts. */
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
  /** Ids of the instances, spot requests, rolls and so on that it is about. */
  about: string[]
}

/** What a group remembers, oldest first. Only what really happened is written down. */
export interface Journal {
  events: GroupEvent[]
  log: LogEntry[]
}

/** A journal keeps this many events, and as many lines of log. */
const LONGEST = 10_000

/** Writes an event down. */
export function happened (journal: Journal, at: number, eventType: string, subEvents: JsonObject[] = []): void {
  journal.events.push({ eventType, at, subEvents })
  if (journal.events.length > LONGEST) journal.events.shift()
}

/** Writes a line of log down. */
export function note (
  journal: Journal, at: number, message: string, about: string[] = [], severity: Severity = 'INFO'
): void {
  journal.log.push({ message, severity, at, about })
  if (journal.log.length > LONGEST) journal.log.shift()
}

/** What a log line about a machine is filed under. */
export function idsOf (machine: Machine): string[] {
  return [machine.instanceId, ...machine.spotInstanceRequestId === null ? [] : [machine.spotInstanceRequestId]]
}

/** The parts of an event in which machines came and went. Names and keys: Go SDK, SubEvent. */
export function comingsAndGoings (launched: Machine[], ended: Machine[]): JsonObject[] {
  const came = { type: 'scaleUp', newSpots: spots(launched), newInstances: onDemand(launched) }
  const went = { type: 'scaleDown', terminatedSpots: spots(ended), terminatedInstances: onDemand(ended) }
  return [...launched.length > 0 ? [came] : [], ...ended.length > 0 ? [went] : []]
}

/** The part of an event in which machines took the place of others. */
export function replacement (old: Machine[], fresh: Machine[]): JsonObject {
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
