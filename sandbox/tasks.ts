import type { Task } from './agenda.js'
import { fleetTasks } from './elastigroups/fleet.js'
import { managedInstanceTasks } from './managed-instances/states.js'
import { migrationTasks } from './migrations/engine.js'
import { rollTasks } from './rolls/engine.js'
import { statefulImportTasks } from './stateful-imports/engine.js'
import { statefulInstanceTasks } from './stateful-instances/engine.js'
import type { Account } from './world.js'

/** Everything that can be scheduled, by the name under which it is. */
export const TASKS: Record<string, Task<Account>> = {
  ...ofResources(({ groups }) => groups, { ...fleetTasks, ...rollTasks, ...statefulInstanceTasks }),
  ...ofResources(({ managedInstances }) => managedInstances, managedInstanceTasks),
  ...migrationTasks,
  ...statefulImportTasks
}

/** Runs what has come due in an account at `now`, including what is added meanwhile. */
export function catchUp (account: Account, now: number): void {
  for (let due = account.agenda.next(now); due !== undefined; due = account.agenda.next(now)) {
    const run = TASKS[due.task]
    if (run === undefined) throw new Error(`there is no task ${due.task}`)
    run(account, due.ids, due.at)
  }
}

/** Tasks of the resource that their first id names; they do not run once it is deleted. */
function ofResources<R> (
  resourcesOf: (account: Account) => Map<string, R>, tasks: Record<string, Task<R>>
): Record<string, Task<Account>> {
  return Object.fromEntries(Object.entries(tasks).map(([name, run]): [string, Task<Account>] => [
    name, (account, [id = '', ...ids], at) => {
      const resource = resourcesOf(account).get(id)
      if (resource !== undefined) run(resource, ids, at)
    }
  ]))
}
