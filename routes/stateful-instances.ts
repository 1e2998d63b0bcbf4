import type { Handlers, Request } from '../openapi/handlers.js'
import { explainRollConflict } from '../services/spot/roll-conflict.js'
import type { StatefulAction } from '../services/spot/operations/stateful-instances.js'

const act = (action: StatefulAction) => async ({ account, params }: Request<'pauseStatefulInstance'>) => {
  const { elastigroup, statefulInstance } = params
  await explainRollConflict(account, params, () => account.statefulInstances.act(elastigroup, statefulInstance, action))
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
