import type { Path } from '../call.js'
import { asQuery } from './elastigroups.js'
import { groupPath } from './paths.js'
import type { Spot } from './spot.js'

export type ElastigroupInstanceAction = 'lock' | 'unlock' | 'enterStandby' | 'exitStandby'

const actions = {
  lock: ['lockElastigroupInstance', ['lock']],
  unlock: ['unlockElastigroupInstance', ['unlock']],
  enterStandby: ['enterElastigroupInstanceStandby', ['standby', 'enter']],
  exitStandby: ['exitElastigroupInstanceStandby', ['standby', 'exit']]
} satisfies Record<ElastigroupInstanceAction, [operation: string, path: Path]>

/** Spot's operations on single instances of an Elastigroup. Spot does not compare the group: see `requireMember`. */
export const elastigroupInstances = (spot: Spot) => ({
  act (group: string, id: string, action: ElastigroupInstanceAction, ttlInMinutes?: number): Promise<void> {
    const [operation, rest] = actions[action]
    const payload = { query: asQuery({ ttlInMinutes }), changes: groupPath(group) }
    return spot.done(operation, 'POST', ['aws', 'ec2', 'instance', id, ...rest], payload)
  }
})
