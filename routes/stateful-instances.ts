import type { Handlers, Request } from '../openapi/handlers.js'
import { explainRollConflict } from '../services/spot/roll-conflict.js'
import type { StatefulAction } from '../services/spot/operations/stateful-instances.js'
import { groupPath } from './elastigroups.js'

const act = (action: StatefulAction) => async ({ account, params }: Request<'pauseStatefulInstance'>) => {
  const { statefulInstances, rolls } = account
  const group = params.elastigroup
  const write = () => statefulInstances.act(group, params.statefulInstance, action)
  await explainRollConflict(groupPath(params), () => rolls.list(group), write)
  return { status: 202 } as const
}

export const statefulInstances = {
  async listStatefulInstances ({ account, params }) {
    return { status: 200, body: await account.statefulInstances.list(params.elastigroup) }
  },

  pauseStatefulInstance: act('pause'),
  resumeStatefulInstance: act('resume'),
  recycleStatefulInstance: act('recycle'),
  deallocateStatefulInstance: act('deallocate')
} satisfies Partial<Handlers>
