import { before, sleep, type Clock } from '../spot/clock.js'
import type { Claim, Ledger } from './ledger.js'
import type { Reply } from './record.js'

/** What a look for the marker brought. */
export interface Look {
  happening: 'found' | 'several' | 'absent' | 'early' | 'blind'
  replies: Reply[]
  /** Milliseconds for which no attempt had been under way when it began, by the state's clock. */
  quietFor: number
  /** Of `early`: milliseconds until a look is conclusive. */
  wait: number
}

/** What a list says. @param late whether the last attempt had been over for long enough when it began */
export function happeningOf (replies: Reply[], late: boolean): Exclude<Look['happening'], 'blind'> {
  if (replies.length > 1) return 'several'
  return replies.length === 1 ? 'found' : late ? 'absent' : 'early'
}

export interface LookOptions { ledger: Ledger, clock: Clock, settle: number, deadline: number }

/**
 * Looks for what earlier attempts made, under a claim. Where they made nothing, but the last one may still show, it
 * looks once more when that is over, if half of the time left allows it.
 *
 * @param list what Spot has with the marker
 */
export async function look (
  claim: Claim, list: () => Promise<Reply[]>, { ledger, clock, settle, deadline }: LookOptions
): Promise<Look> {
  for (let first = true; ; first = false) {
    const began = clock.now()
    // Read before listing: a list shows only attempts that ended before it began.
    const mine = await ledger.mine(claim, deadline).catch(() => undefined)
    // The claim cannot be read or is no longer ours: what Spot lists now would prove nothing.
    if (!mine) return { happening: 'blind', replies: [], quietFor: 0, wait: 0 }
    const { quietFor } = mine
    const replies = !first && quietFor < settle
      ? []
      : await before(clock, deadline, list(), late).catch(() => undefined)
    const happening = replies ? happeningOf(replies, quietFor >= settle) : 'blind'
    const wait = settle - quietFor - (clock.now() - began)
    if (happening !== 'early' || wait > (deadline - clock.now()) / 2) {
      return { happening, replies: replies ?? [], quietFor, wait }
    }
    await sleep(clock, Math.max(wait, LEAST_WAIT))
  }
}

/** Milliseconds: the shortest pause, so that a fast clock does not spin. */
const LEAST_WAIT = 10

const late = () => new Error('The list did not come before the deadline.')
