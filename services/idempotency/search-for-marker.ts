import { sleep, withDeadline, type Clock } from '../spot/clock.js'
import type { Claim, Ledger } from './ledger.js'
import type { Reply } from './record.js'

/** What a search for the marker found. */
export interface SearchResult {
  trigger: 'found' | 'several' | 'absent' | 'early' | 'blind'
  replies: Reply[]
  /** Milliseconds for which no attempt had been under way when the search began, by the state's clock. */
  quietFor: number
  /** Of `early`: milliseconds until a search is conclusive. */
  wait: number
}

/** What a search means. @param late whether the last attempt had been over for long enough when it began */
export function triggerOf (replies: Reply[], late: boolean): Exclude<SearchResult['trigger'], 'blind'> {
  if (replies.length > 1) return 'several'
  return replies.length === 1 ? 'found' : late ? 'absent' : 'early'
}

export interface SearchOptions { ledger: Ledger, clock: Clock, settle: number, deadline: number }

/**
 * Searches, under a claim, for what earlier attempts made. If there is nothing, but the last attempt may still show, it
 * waits and searches again, if half of the time left allows it.
 *
 * @param search finds what Spot has with the marker
 */
export async function searchForMarker (
  claim: Claim, search: () => Promise<Reply[]>, { ledger, clock, settle, deadline }: SearchOptions
): Promise<SearchResult> {
  for (let first = true; ; first = false) {
    const began = clock.now()
    // Read before the search, which shows only attempts that ended before it began.
    const mine = await ledger.mine(claim, deadline).catch(() => undefined)
    // The claim cannot be read or is no longer ours: a search would prove nothing.
    if (!mine) return { trigger: 'blind', replies: [], quietFor: 0, wait: 0 }
    const { quietFor } = mine
    const replies = !first && quietFor < settle
      ? []
      : await withDeadline(clock, deadline, search(), late).catch(() => undefined)
    const trigger = replies ? triggerOf(replies, quietFor >= settle) : 'blind'
    const wait = settle - quietFor - (clock.now() - began)
    if (trigger !== 'early' || wait > (deadline - clock.now()) / 2) {
      return { trigger, replies: replies ?? [], quietFor, wait }
    }
    await sleep(clock, Math.max(wait, SHORTEST_WAIT))
  }
}

/** Milliseconds: the shortest pause, so that a fast clock does not spin. */
const SHORTEST_WAIT = 10

const late = () => new Error('The list did not come before the deadline.')
