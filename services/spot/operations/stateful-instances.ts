import type { components } from '../../../openapi/types.js'
import { groupPath } from './paths.js'
import type { Spot } from './spot.js'

export type StatefulAction = 'pause' | 'resume' | 'recycle' | 'deallocate'

/** Spot's operations on the stateful instances of an Elastigroup. */
export const statefulInstances = (spot: Spot) => {
  const stateful = (group: string, ...rest: string[]) => groupPath(group, 'statefulInstance', ...rest)

  return {
    list: (group: string): Promise<components['schemas']['StatefulInstances']> =>
      spot.items('listStatefulInstances', 'GET', stateful(group)),

    act: (group: string, id: string, action: StatefulAction): Promise<void> =>
      spot.done(`${action}StatefulInstance`, 'PUT', stateful(group, id, action))
  }
}
