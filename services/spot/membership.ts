import { Problem } from '../problems/index.js'
import type { Account } from './account.js'

/**
 * Makes sure that an EC2 instance belongs to a group, as Spot says now. Spot's operations on such an instance do not
 * name the group, so it would carry out what was asked for an instance of any other.
 *
 * @throws {Problem} resource-not-found
 * @throws {SpotError} when the status of the group cannot be read
 */
export async function requireMember (
  { fresh }: Pick<Account, 'fresh'>, { elastigroup, ec2Instance }: { elastigroup: string, ec2Instance: string }
): Promise<void> {
  const rows = await fresh.elastigroups.status(elastigroup)
  if (rows.some(({ instanceId }) => instanceId === ec2Instance)) return
  throw new Problem('resource-not-found', {
    detail: `Elastigroup ${elastigroup} has no instance ${ec2Instance}.`,
    hint: 'Take the id from the status of the group. Nothing was sent.'
  })
}
