import { Agenda } from '../agenda.js'
import type { Due } from '../agenda.js'
import type { Clock } from '../clock.js'
import { check, InvalidJson } from '../control/check.js'
import type { Group } from '../elastigroups/model.js'
import type { Machine } from '../machines/model.js'
import type { ManagedInstance } from '../managed-instances/model.js'
import type { Migration } from '../migrations/model.js'
import type { Resource } from '../resources/model.js'
import type { Batch, Roll } from '../rolls/model.js'
import type { StatefulImport } from '../stateful-imports/model.js'
import type { StatefulInstance } from '../stateful-instances/model.js'
import type { Account, World } from '../world.js'
import { snapshotSchema } from './schema.js'

/** The world as JSON. Machines are named by their ids; times without end are null. */
export interface Snapshot {
  version: 1
  /** Milliseconds since the epoch. */
  now: number
  accounts: AccountSnapshot[]
}

interface AccountSnapshot {
  id: string
  agenda: Due[]
  groups: GroupSnapshot[]
  deletedGroups: GroupSnapshot[]
  managedInstances: Omit<ManagedInstance, 'agenda'>[]
  migrations: Migration[]
  statefulImports: StatefulImport[]
}

type Times = Record<string, number | null>
type BatchSnapshot = { blue: { instanceId: string, slot: number }[], green: string[] }
type GroupSnapshot = Omit<Group, 'agenda' | 'suspensions' | 'policySuspensions' | 'rolls' | 'statefulInstances'> & {
  suspensions: Times
  policySuspensions: Times
  rolls: (Omit<Roll, 'batches'> & { batches: BatchSnapshot[] })[]
  statefulInstances: (Omit<StatefulInstance, 'machine'> & { instanceId?: string })[]
}

/** The world at `now`, ready for `JSON.stringify`. */
export function takeSnapshot (world: World, now: number): Snapshot {
  const accounts = world.accounts().map((account) => ({
    id: account.id,
    agenda: account.agenda.due,
    groups: [...account.groups.values()].map(saveGroup),
    deletedGroups: account.deletedGroups.map(saveGroup),
    managedInstances: [...account.managedInstances.values()].map(saveResource),
    migrations: [...account.migrations.values()],
    statefulImports: [...account.statefulImports.values()]
  }))
  return { version: 1, now, accounts }
}

/**
 * Puts the world back to a snapshot, if that is one. The clock moves forward to its time if it is not there yet; where
 * it is later, what was scheduled meanwhile happens.
 * @throws InvalidJson saying where it is none; nothing is changed then
 */
export async function restore (world: World, clock: Clock, value: unknown): Promise<void> {
  await check(snapshotSchema, value)
  const { accounts, now } = value as Snapshot
  const restored = accounts.map((account, index) => loadAccount(account, `/accounts/${index}`))
  clock.advance(Math.max(0, now - clock.now()))
  world.replace(restored)
}

function saveResource<R extends Resource> ({ agenda: _, ...rest }: R): Omit<R, 'agenda'> {
  return rest
}

function saveGroup (group: Group): GroupSnapshot {
  return {
    ...saveResource(group),
    suspensions: Object.fromEntries(group.suspensions),
    policySuspensions: Object.fromEntries(group.policySuspensions),
    rolls: group.rolls.map((roll) => ({
      ...roll,
      batches: roll.batches.map(({ blue, green }) => ({
        blue: blue.map(({ machine, slot }) => ({ instanceId: machine.instanceId, slot })),
        green: green.map(({ instanceId }) => instanceId)
      }))
    })),
    statefulInstances: group.statefulInstances.map(({ machine, ...rest }) =>
      ({ ...rest, ...machine && { instanceId: machine.instanceId } }))
  }
}

function loadAccount (saved: AccountSnapshot, location: string): Account {
  const agenda = new Agenda()
  for (const { at, task, ids } of saved.agenda) agenda.add(at, task, ids)
  const group = (list: 'groups' | 'deletedGroups') =>
    saved[list].map((group, index) => loadGroup(group, agenda, `${location}/${list}/${index}`))
  return {
    id: saved.id,
    agenda,
    groups: byId(group('groups')),
    deletedGroups: group('deletedGroups'),
    managedInstances: byId(saved.managedInstances.map((instance) => loadResource(instance, agenda))),
    migrations: byId(saved.migrations.map((migration) => structuredClone(migration))),
    statefulImports: byId(saved.statefulImports.map((one) => structuredClone(one)))
  }
}

function byId<T extends { id: string }> (list: T[]): Map<string, T> {
  return new Map(list.map((one) => [one.id, one]))
}

function loadResource<R extends Omit<Resource, 'agenda'>> (saved: R, agenda: Agenda): R & { agenda: Agenda } {
  const machines = saved.machines.map((machine) =>
    ({ ...machine, ...machine.lockedUntil === null && { lockedUntil: Infinity } }))
  return { ...structuredClone(saved), machines, agenda }
}

function loadGroup (saved: GroupSnapshot, agenda: Agenda, location: string): Group {
  const { suspensions, policySuspensions, rolls, statefulInstances, ...rest } = saved
  const group = loadResource(rest, agenda)
  const machines = new Map(group.machines.map((machine) => [machine.instanceId, machine]))
  const machine = (instanceId: string, list: string): Machine => {
    const found = machines.get(instanceId)
    if (found === undefined) throw new InvalidJson(`${location}/${list} names ${instanceId}, which is not in the group`)
    return found
  }
  const batch = ({ blue, green }: BatchSnapshot, list: string): Batch => ({
    blue: blue.map(({ instanceId, slot }) => ({ machine: machine(instanceId, list), slot })),
    green: green.map((instanceId) => machine(instanceId, list))
  })
  return {
    ...group,
    suspensions: timesOf(suspensions),
    policySuspensions: timesOf(policySuspensions),
    rolls: rolls.map((roll, index) => ({
      ...structuredClone(roll),
      batches: roll.batches.map((saved) => batch(saved, `rolls/${index}`))
    })),
    statefulInstances: statefulInstances.map(({ instanceId, ...rest }, index) => ({
      ...structuredClone(rest),
      machine: instanceId === undefined ? undefined : machine(instanceId, `statefulInstances/${index}`)
    }))
  }
}

function timesOf (times: Times): Map<string, number> {
  return new Map(Object.entries(times).map(([name, until]) => [name, until ?? Infinity]))
}
