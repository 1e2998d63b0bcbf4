import type { Handlers, Request } from '../openapi/handlers.js'
import { namingTheRoll } from '../services/roll-conflict.js'
import type { StatefulAction } from '../services/spotinst/stateful-instances.js'
import { groupPath } from './elastigroups.js'

const act = (action: StatefulAction) => async ({ spot, params }: Request<'pauseStatefulInstance'>) => {
  const { statefulInstances, rolls } = spot
  const group = params.elastigroup
  const write = () => statefulInstances.act(group, params.statefulInstance, action)
  await namingTheRoll(groupPath(params), () => rolls.list(group), write)
  return { status: 202 } as const
}

export const statefulInstances = {
  async listStatefulInstances ({ spot, params }) {
    return { status: 200, body: await spot.statefulInstances.list(params.elastigroup) }
  },

  pauseStatefulInstance: act('pause'),
  resumeStatefulInstance: act('resume'),
  recycleStatefulInstance: act('recycle'),
  deallocateStatefulInstance: act('deallocate')
} satisfies Partial<Handlers>
