import { isObject, type JsonObject } from '../../resources/json.js'
import type { Answer } from '../answer.js'
import { isWrite, type Call, type Expectation, type SpotAccount } from '../call.js'
import type { Clock } from '../clock.js'
import { SpotError } from '../error.js'
import type { Next } from '../stage.js'
import type { Client, HttpAnswer } from './client.js'
import { asItIs, openEnvelope, upstreamOf, type Conceal } from './envelope.js'
import { outcomeOfStatus } from './outcomes.js'
import { quotaOf, secondsOf } from './quota.js'
import { isSegment } from './target.js'

/** One HTTP exchange with Spot for an account: the last stage of every call. */
export function wireOf (
  account: SpotAccount, load: () => Promise<Pick<Client, 'exchange'>>, clock: Clock, conceal: Conceal = asItIs
): Next {
  return async (call) => {
    const client = await load()
    const askedAt = clock.now()
    const received = await client.exchange(account, call, Math.max(1, call.deadline - askedAt))
    return interpret(call, received, askedAt, conceal)
  }
}

/** What an HTTP answer means. @throws {SpotError} for everything but a 200 with what the call expects */
export async function interpret (
  call: Call, { status, headers, text }: HttpAnswer, askedAt: number, conceal = asItIs
): Promise<Answer> {
  const quota = quotaOf(status, headers)
  const envelope = await openEnvelope(headers['content-type'], text, conceal)
  const failure = { call, quota, calls: 1 }
  if (status !== 200 || !envelope) {
    const upstream = upstreamOf(status, envelope, conceal)
    const outcome = outcomeOfStatus(status, envelope && (upstream.errors ?? []).map(({ code }) => code))
    throw new SpotError({
      ...failure,
      outcome,
      upstream,
      ...outcome === 'rate-limited' && quota?.blocked && { limit: quota.limit, retryAfter: secondsOf(quota.reset) }
    })
  }
  const requestId = envelope.request?.id
  const items = itemsOf(envelope.response.items)
  const lack = lackOf(items, call)
  if (lack) throw new SpotError({ ...failure, outcome: lack, upstream: { status, ...requestId && { requestId } } })
  return { items: items ?? [], size: envelope.size, source: 'spot', askedAt, requestId, calls: 1, quota }
}

const itemsOf = (items: unknown): JsonObject[] | undefined =>
  Array.isArray(items) ? items.flat().filter(isObject) : undefined

/** What a 200 lacks. A read without items is `not-found`; a write's answer without items is `unreadable`. */
function lackOf (items: JsonObject[] | undefined, call: Call): 'not-found' | 'unreadable' | undefined {
  const { expects }: { expects: Expectation } = call
  if (expects === 'nothing') return undefined
  if (!items) return 'unreadable'
  if (expects === 'items') return undefined
  const [first] = items
  if (!first) return isWrite(call) ? 'unreadable' : 'not-found'
  return expects === 'item' || isSegment(first[expects.itemWith]) ? undefined : 'unreadable'
}
