import type { Resource } from '../resources/resource.js'
import type { Journal } from './journal.js'
import type { Roll } from './roll.js'
import type { StatefulInstance } from './stateful-instance.js'

/** An Elastigroup: as many machines as its target capacity. */
export interface Group extends Resource, Journal {
  /** All it ever had, oldest first. */
  rolls: Roll[]
  /** What is suspended, and until when (milliseconds since the epoch; Infinity: until it is removed). */
  suspensions: Map<string, number>
  /** One for each machine when the group is stateful, and the paused and deallocated ones. */
  statefulInstances: StatefulInstance[]
}
