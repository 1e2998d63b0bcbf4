import type { Handlers, Request } from '../openapi/handlers.js'
import { requireMember } from '../services/spot/membership.js'
import type { ElastigroupInstanceAction } from '../services/spot/operations/elastigroup-instances.js'

type Lock = Request<'lockElastigroupInstance'>
type Action = Pick<Lock, 'account' | 'params'> & { query: Partial<Lock['query']> }

const act = (action: ElastigroupInstanceAction) => async ({ account, params, query }: Action) => {
  await requireMember(account, params)
  const { elastigroup, ec2Instance } = params
  await account.elastigroupInstances.act(elastigroup, ec2Instance, action, query.ttlInMinutes)
  return { status: 202 } as const
}

export const elastigroupInstances = {
  lockElastigroupInstance: act('lock'),
  unlockElastigroupInstance: act('unlock'),
  enterElastigroupInstanceStandby: act('enterStandby'),
  exitElastigroupInstanceStandby: act('exitStandby')
} satisfies Partial<Handlers>
