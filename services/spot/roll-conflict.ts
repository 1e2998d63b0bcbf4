import { pathOf } from '../../openapi/paths.js'
import type { components } from '../../openapi/types.js'
import { Problem } from '../problems/index.js'
import type { Account } from './account.js'
import { SpotError } from './error.js'

type Roll = components['schemas']['Roll']

/**
 * Carries out a write that Spot refuses while a roll blocks the group, and names that roll when it does. Spot only says
 * so in words ("Can't have 2 Rolls at the same time"), with a 400 like any other.
 *
 * @throws {Problem} roll-in-progress, or whatever the write throws
 */
export async function explainRollConflict<T> (
  { name, rolls }: Pick<Account, 'name' | 'rolls'>,
  { elastigroup }: { elastigroup: string },
  write: () => Promise<T>
): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (!(error instanceof SpotError) || !mentionsRoll(error)) throw error
    const roll = await rolls.list(elastigroup).then((rolls) => rolls.find(blocks), () => undefined)
    if (!roll?.id) throw error
    const status = roll.status ?? 'unknown'
    const stop = `POST ${pathOf('stopRoll', { account: name, elastigroup, roll: roll.id })}`
    throw new Problem('roll-in-progress', {
      detail: /failed/i.test(status)
        ? `Roll ${roll.id} failed, and blocks the group until it is stopped.`
        : `Roll ${roll.id} is under way (${status}), and Spot takes no other change of the group until it ends.`,
      hint: /failed/i.test(status) ? `End it by ${stop}.` : `Wait until it is finished, or end it by ${stop}.`,
      roll: { id: roll.id, status },
      ...error.details.upstream && { upstream: error.details.upstream }
    })
  }
}

/** In words ("2 Rolls") or in a code (`DURING_ROLL`). */
const roll = /(^|[^a-z])roll(s|ing)?([^a-z]|$)|deployment/i

const mentionsRoll = ({ outcome, details }: SpotError) => outcome === 'rejected' &&
  details.upstream?.errors?.some(({ code, message }) => roll.test(code) || roll.test(message))

const blocks = ({ status }: Roll) => !/^(finished|stopped)$/i.test(status ?? '')
