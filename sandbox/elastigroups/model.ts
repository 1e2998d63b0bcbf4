import type { Resource } from '../resources/model.js'
import type { Journal } from '../journal/model.js'
import type { ListenerRuleMigration } from '../listener-rules/model.js'
import type { Roll } from '../rolls/model.js'
import type { StatefulInstance } from '../stateful-instances/model.js'

/** An Elastigroup: as many machines as its target capacity. */
export interface Group extends Resource, Journal {
  /** All rolls so far, oldest first. */
  rolls: Roll[]
  /** Suspended processes, and until when (milliseconds since the epoch; Infinity: until removed). */
  suspensions: Map<string, number>
  /** Suspended scaling policies, likewise. */
  policySuspensions: Map<string, number>
  /** Migrations of listener rules to Intelligent Traffic Flow, oldest first. */
  listenerRuleMigrations: ListenerRuleMigration[]
  /** Whether its Elastic Beanstalk environment is being changed. */
  isInMaintenance: boolean
  /** If the group is stateful: one for each machine, and the paused and deallocated ones. */
  statefulInstances: StatefulInstance[]
}
