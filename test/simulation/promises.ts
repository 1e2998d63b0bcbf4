import { Problem } from '../../services/problems/index.js'
import { SpotError } from '../../services/spot/error.js'
import { RESERVE } from '../../services/spot/stages/limit/window.js'
import { SETTLE, TOMORROW, type History } from './history.js'
import type { Scenario } from './scenario.js'
import { SHARE, type Request } from './server.js'
import type { Commit, SimulatedSpot } from './spot.js'

interface Played extends History { scenario: Scenario }

// Not imported from the limit: `simulate-mutants.js` changes them there, and the promises must still hold.
/** Calls that may be under way while no limit is known. */
const CALLS_WITHOUT_LIMIT = 10
/** Milliseconds for which a call counts after it ended. */
const SEND_COUNTS_FOR = 61_000
/** How much a clock may gain before a server forgets calls that Spot still counts: a second a minute. */
const FASTEST = 1 / 60

/** Milliseconds by which a request may end after its deadline. */
const LATENESS = 250
/** Milliseconds by which a call may be sent before Spot has room: the time that it takes to arrive. */
const ARRIVAL = 60
/** Milliseconds after the first answer in which calls that were sent without a limit may still arrive. */
const FIRST_CALLS = 500
/** Milliseconds by which a call may count longer than its end says. */
const TOLERANCE = 100

const problemOf = ({ error }: Request) => error instanceof Problem ? error.problem : undefined

const isRead = ({ asked: { kind } }: Request) => kind === 'list' || kind === 'get'

/** What was made for a word, in the order in which Spot made it; with updates. */
const madeFor = (spot: SimulatedSpot, word: string): Commit[] =>
  spot.commits.filter(({ request, value }) => value !== undefined && request === word)

const idsOf = (commits: Commit[]): string[] => [...new Set(commits.map(({ id }) => id))]

/** Whether it was carried out later than Spot is believed to. */
const isLate = ({ at, sent: { endsBy } }: Commit) => at > endsBy + SETTLE

const calls = ({ servers }: History) => servers.flatMap((server) => server.sent)

/** Keys that made more than one, and what they made. */
const doubled = ({ spot }: Played) => [...new Set(spot.commits.map(({ request }) => request))].flatMap((word) => {
  const commits = madeFor(spot, word)
  const made = idsOf(commits)
  return word.startsWith('key') && made.length > 1 ? [{ word, made, commits }] : []
})

/** @param check what shows that a request breaks a promise; undefined where it does not */
const requests = (check: (request: Request, played: Played) => object | undefined) => (played: Played): object[] =>
  played.requests.flatMap((request) => {
    const { asked, server, at } = request
    const shown = check(request, played)
    return shown ? [{ asked, server: server.name, at, ...shown }] : []
  })

/** The same of each answer that a request used. */
const answers = (check: (answer: Request['answers'][number], request: Request, played: Played) => object | undefined) =>
  requests((request, played) => {
    for (const answer of request.answers) {
      const shown = check(answer, request, played)
      if (shown) return shown
    }
  })

/** What a request without a key changed. */
const changedBy = ({ asked }: Request, { spot }: Played): Commit[] => spot.commits.filter(({ request, id, value }) =>
  asked.kind === 'delete' ? id === asked.group && value === undefined : request === asked.word)

/** The same for writes without a key alone. */
const unkeyedWrites = (check: (request: Request, made: number) => object | undefined) => requests((request, played) =>
  isRead(request) || (request.asked.kind === 'create' && request.asked.key !== undefined)
    ? undefined
    : check(request, changedBy(request, played).length))

/** The read of Spot that an answer shows; undefined where it shows none. */
function shownBy ({ answer: { items } }: Request['answers'][number], { spot }: Played) {
  const [first] = items as { answerId?: number }[]
  return first?.answerId === undefined ? undefined : spot.answers.get(first.answerId)
}

/** Every promise, and what of a history breaks it. */
const promises: Record<string, (played: Played) => object[]> = {
  'no second create once the first is listed': (played) => doubled(played).flatMap(({ word, made, commits }) => {
    const first = commits[0] as Commit
    const again = commits.find(({ id, sent }) => id !== first.id && sent.at > first.at + SETTLE)
    return again ? [{ word, made }] : []
  }),

  // Beyond the first, only what Spot carried out later than it is believed to.
  'a key creates one resource': (played) => doubled(played).flatMap(({ word, made, commits }) =>
    !played.scenario.later || commits.filter(isLate).length < made.length - 1 ? [{ word, made }] : []),

  'requests end in time': (played) => [
    ...requests(({ lateness = 0 }) => lateness > LATENESS ? { lateness } : undefined)(played),
    ...played.hanging.map((asked) => ({ asked, hanging: true }))
  ],

  'a failure is a problem': requests((request) =>
    request.error && !problemOf(request) ? { error: String(request.error) } : undefined),

  'every request is answered': requests(({ error, reply }) => !error && !reply ? {} : undefined),

  'a key is settled': requests((request, { scenario }) => {
    const problem = problemOf(request)
    const isUnsettled = request.asked.settled && scenario.limit > 3 && !request.reply && problem !== 'duplicates-found'
    return isUnsettled ? { problem } : undefined
  }),

  'duplicates are reported': requests((request) => {
    const problem = problemOf(request)
    return request.asked.doubled && problem !== 'duplicates-found' ? { problem } : undefined
  }),

  'reported duplicates exist': requests((request, { spot }) =>
    problemOf(request) === 'duplicates-found' && idsOf(madeFor(spot, request.asked.word)).length < 2 ? {} : undefined),

  'a key in use has two requests': requests((request, { scenario }) => {
    const { asked, at, endedAt = at } = request
    if (problemOf(request) !== 'idempotency-key-in-use' || asked.word !== asked.key || asked.settled) return undefined
    const comers = scenario.asks.filter(({ kind, key, at: when }) =>
      kind === 'create' && `key${key}` === asked.key && when <= endedAt)
    return comers.length === 1 ? {} : undefined
  }),

  'the answer names what was made': requests(({ asked, reply }, { spot }) => {
    if (asked.kind !== 'create' || !reply) return undefined
    const { headers: { Location } } = reply as { headers: { Location: string } }
    return madeFor(spot, asked.word).some(({ id }) => id === Location) ? undefined : { Location }
  }),

  'a write is sent at most once': unkeyedWrites(({ asked }, made) =>
    asked.kind !== 'delete' && made > 1 ? { made } : undefined),

  'a refused write changed nothing': unkeyedWrites((request, made) => {
    const problem = problemOf(request)
    const isCertain = problem && problem !== 'outcome-unknown' && request.asked.kind !== 'delete'
    return isCertain && made > 0 ? { problem } : undefined
  }),

  'an answered write was carried out': unkeyedWrites(({ reply }, made) => reply && made === 0 ? {} : undefined),

  'memory serves nothing older than freshFor': answers(({ answer: { source }, age }, _, { scenario }) =>
    source === 'memory' && age >= scenario.freshFor ? { age } : undefined),

  'a fresh read bypasses memory': answers(({ answer: { source } }, { asked }) =>
    asked.fresh && ['memory', 'stale'].includes(source) ? { source } : undefined),

  'an answer was read from Spot at askedAt': answers((answer, { server }, played) => {
    const seen = shownBy(answer, played)
    const { askedAt } = answer.answer
    const isSent = server.sent.some((sent) => sent.answerId === seen?.id && sent.askedAt === askedAt)
    return seen && !isSent ? { seen, askedAt } : undefined
  }),

  'no read misses a finished write': answers((answer, request, played) => {
    const seen = shownBy(answer, played)
    if (!seen) return undefined
    const { source } = answer.answer
    for (const write of played.requests) {
      const commit = mustBeSeen(write, request, source, played) && lastCommitOf(write, request, played)
      if (commit && seen.arrivedAt < commit.at) return { source, seen, at: commit.at }
    }
  }),

  // Only by clocks that run alike: else a server does not know when the reset is over.
  'none is sent before the reset is over': ({ scenario, servers }) => scenario.drift > 0
    ? []
    : servers.flatMap(({ name, sent }) => sent.flatMap(({ call, reportedQuota, endsBy, roomAt = 0 }) => {
      const early = reportedQuota?.blocked && sent.find((other) =>
        other.call.operation === call.operation && other.at > endsBy && other.at < roomAt - ARRIVAL)
      return early ? [{ server: name, at: early.at, roomAt }] : []
    })),

  'none is sent while blocked': ({ servers }) => servers.flatMap(({ name, sent }) =>
    sent.flatMap(({ call, reportedQuota: quota, receivedAt }) => {
      const early = quota?.blocked && receivedAt !== undefined && sent.find(({ call: { operation }, askedAt }) =>
        operation === call.operation && askedAt > receivedAt && askedAt < receivedAt + quota.reset)
      return early ? [{ server: name, receivedAt, early: early.askedAt }] : []
    })),

  'no read waits while there is room': (played) => {
    const found = played.requests.find((request) => waitsInVain(request, played))
    return found ? [{ asked: found.asked, at: found.at, error: String(found.error) }] : []
  },

  "Spot's limit holds": (played) => {
    const over = overTheLimit(played)
    return over ? [over] : []
  },

  // A call counts for a minute and a second after it ended, by a clock that may be slow, even if Spot refused it.
  // With a clock that is too fast it looks like a call of others for another minute.
  'calls are admitted again after a block': (played) => played.requests.flatMap(({ asked, at, error }) => {
    if (!asked.isLast || !(error instanceof SpotError)) return []
    const { drift } = played.scenario
    const windows = drift > FASTEST ? 2 : 1
    const countsFor = windows * SEND_COUNTS_FOR / (1 - drift) + 1000
    const recent = calls(played).filter(({ call, endsBy }) =>
      call.operation === error.operation && endsBy > at - countsFor)
    return recent.length < played.scenario.limit ? [{ ...error, recent: recent.map((one) => one.at) }] : []
  })
}

/** What of a history breaks a promise; empty when none does. */
export function violations (scenario: Scenario, history: History): string[] {
  const played = { ...history, scenario }
  return Object.entries(promises).flatMap(([promise, broken]) =>
    broken(played).map((what) => `${promise}: ${JSON.stringify(what)}`))
}

/** Whether a write ended before a read began, and the read must show it. */
function mustBeSeen (write: Request, { asked, at }: Request, source: string, { scenario }: Played): boolean {
  const isOlder = write.endedAt !== undefined && write.endedAt < at
  const touches = ['update', 'delete'].includes(write.asked.kind) &&
    (asked.kind === 'list' || write.asked.group === asked.group)
  // A write that other servers cannot see is answered when what they remember is no longer fresh.
  return isOlder && touches && (write.visibleToAll === true || (source === 'memory' && scenario.drift === 0))
}

/** What Spot last did for a write, up to a read, as far as it counts. */
function lastCommitOf (write: Request, { at, server }: Request, { scenario, spot }: Played): Commit | undefined {
  // A server that is alone knows nothing of what it sent before a restart.
  const isUnknown = problemOf(write) === 'outcome-unknown' && (scenario.servers > 1 || write.server === server)
  return spot.commits.findLast((commit) => commit.at <= at && (write.asked.kind === 'update'
    ? commit.request === write.asked.word && (write.reply || (isUnknown && !isLate(commit)))
    : write.reply && commit.id === write.asked.group && commit.value === undefined))
}

/**
 * The first call that was sent though every server could know that Spot has no room for it. What nobody can know is
 * left out: clocks that run differently, links that fail, and calls that arrive after they were given up.
 */
function overTheLimit (played: Played) {
  const { drift, lost, troubles, servers: count, limit } = played.scenario
  const linksFail = count > 1 && (lost > 0 || troubles.some(({ kind }) => kind !== 'outage'))
  if (limit === Infinity || drift > 0 || linksFail || troubles.some(({ kind }) => kind === 'kill')) return undefined
  // Servers that restart on the next day have to learn the limit again.
  const sent = calls(played).filter(({ at }) => at < TOMORROW)
  for (const operation of new Set(sent.map(({ call }) => call.operation))) {
    const route = sent.filter(({ call }) => call.operation === operation)
    if (route.some(({ endsBy, arrivedAt = endsBy }) => arrivedAt > endsBy)) continue
    const answered = route.filter(({ reportedQuota }) => reportedQuota).map(({ endsBy }) => endsBy)
    const knownAt = Math.min(...answered) + FIRST_CALLS
    const over = route.find(({ at, reportedQuota }) => reportedQuota?.blocked && at > knownAt)
    if (over) return { operation, at: over.at }
  }
}

/**
 * Whether a read was refused, or waited, though its route had room for it beside all calls that Spot may still count
 * and all requests under way, and its client had some of its share left. Of servers that share the limit or restarted,
 * more is not known.
 */
function waitsInVain (request: Request, { scenario, requests }: Played): boolean {
  const { drift, limit, servers, troubles, faults, faultRate } = scenario
  if (drift > 0 || servers > 1 || troubles.some(({ kind }) => kind === 'kill')) return false
  const { asked: { kind, client, group }, at, endedAt = Infinity, error, answers: [first], server } = request
  if (!isRead(request) || at > TOMORROW) return false
  const beside = requests.filter((other) =>
    other !== request && other.at <= endedAt && (other.endedAt ?? Infinity) >= at).map(({ asked }) => asked)
  const isRefused = error instanceof SpotError && ['rate-limited', 'expired'].includes(error.outcome)
  const operation = kind === 'get' ? 'getElastigroup' : 'listElastigroups'
  const own = first?.answer.source === 'spot' && first.answer.calls === 1 &&
    server.sent.find(({ askedAt }) => askedAt === first.answer.askedAt)
  const sent = server.sent.filter((one) => one !== own && one.call.operation === operation && one.at <= endedAt)
  // Who asks the same as another may wait for that one's call.
  const areSentAgain = faultRate > 0 && faults.includes('unsent')
  const isAlone = !areSentAgain && !beside.some((other) => other.kind === kind && other.group === group) &&
    !sent.some(({ call, endsBy }) => endsBy > at && call.path.join() === (own || undefined)?.call.path.join())
  if (!isRefused && !(own && isAlone && own.at > at)) return false
  const isOrdinary = sent.every(({ reportedQuota, arrivedAt = 0, endsBy }) =>
    !reportedQuota?.blocked && arrivedAt <= endsBy)
  if (!isOrdinary) return false
  const counted = sent.filter(({ endsBy }) => endsBy > at - SEND_COUNTS_FOR - TOLERANCE).map(({ call }) => call.client)
  const taken = [client, ...counted, ...beside.map((other) => other.client)]
  const room = Math.min(limit - Math.floor(limit * RESERVE), CALLS_WITHOUT_LIMIT)
  return taken.length <= room && taken.filter((one) => one === client).length <= Math.max(1, limit * SHARE)
}
