import { Problem } from '../../services/problems/index.js'
import { SpotError } from '../../services/spot/error.js'
import type { Scenario } from './scenario.js'
import { SimulatedServer, type Asked, type Request } from './server.js'
import { SimulatedSpot, type Commit, type Fault } from './spot.js'
import { simulatedState } from './state.js'
import { simulatedWindow } from './window.js'
import { simulatedWords } from './words.js'
import { ServerClock, World } from './world.js'

/** Milliseconds. */
export const SETTLE = 15_000
const WITHIN = { read: 10_000, write: 60_000 }
/** No call to Spot fails after this, but for 30 s of the next day. */
const WELL = 5.5 * 60_000
/** The links to the state work from here on. */
const CALM = 6.5 * 60_000
const END = 8 * 60_000
/** When every search of 5 minutes after an attempt is over. */
const LOOKED = 15 * 60_000
/** When every key of the first day is forgotten. */
const TOMORROW = 25 * 3600_000

/** All that happened. */
export interface History {
  requests: Request[]
  servers: SimulatedServer[]
  spot: SimulatedSpot
  /** Requests that never ended, though their server lived. */
  hanging: Asked[]
}

/** Plays a scenario to its end: the same one, to the letter, as often as it is played. */
export async function play (scenario: Scenario): Promise<History> {
  const world = new World(scenario.seed)
  const spot = new SimulatedSpot(world, { ...scenario, settle: SETTLE })
  const state = simulatedState({
    clock: {
      now: () => world.now,
      sleep: world.sleep
    },
    random: () => world.random()
  })
  const [words, window] = [simulatedWords(world), simulatedWindow(world)]
  let outageUntil = 0

  const faultOf = (): Fault => {
    if (world.now < outageUntil) return world.chance(0.5) ? 'failed-undone' : 'hang-undone'
    const isWell = world.now > WELL && !(world.now > TOMORROW && world.now < TOMORROW + 30_000)
    if (isWell || !world.chance(scenario.faultRate)) return 'none'
    return scenario.faults[world.between(0, scenario.faults.length - 1)] as Fault
  }

  const servers: SimulatedServer[] = []
  const start = (index: number) => {
    const handle = state.handle()
    Object.assign(handle.faults, { dropped: scenario.lost / 2, lost: scenario.lost / 2, delay: scenario.delay })
    const rate = 1 + scenario.drift * (2 * world.random() - 1)
    const server = new SimulatedServer({
      name: `server ${index}`,
      world,
      clock: new ServerClock(world, 1_000_000 + scenario.apart * index, rate),
      spot,
      state: handle,
      shared: scenario.servers === 1
        ? undefined
        : { words: words.linkedBy(handle.faults), window: window.linkedBy(handle.faults) },
      within: WITHIN,
      reads: scenario,
      settle: SETTLE,
      faultOf
    })
    servers.push(server)
    return server
  }
  const running = Array.from({ length: scenario.servers }, (_, index) => start(index))
  const at = (index: number) => running[index % running.length] as SimulatedServer

  // Groups that are there from the start.
  const groups = ['first', 'second'].map((word) => spot.make(word))

  for (const { at: when, server, kind, lasts } of scenario.troubles) {
    world.at(when, () => {
      const target = at(server)
      if (kind === 'outage') outageUntil = Math.max(outageUntil, world.now + lasts)
      if (kind === 'partition') {
        target.state.faults.partitioned = true
        world.at(world.now + lasts, () => { target.state.faults.partitioned = false })
      }
      if (kind === 'kill') {
        target.kill()
        const index = running.indexOf(target)
        running[index] = start(index)
      }
    })
  }

  const requests: Request[] = []
  const open = new Set<Asked & { server: SimulatedServer }>()
  const ask = (when: number, index: number, asked: Asked) => world.at(when, () => {
    const server = at(index)
    const pending = { ...asked, server }
    open.add(pending)
    server.handle(asked).then((request) => {
      open.delete(pending)
      if (!server.clock.dead) requests.push(request) // else nobody has the answer
    })
  })
  const keys = new Set<string>()
  for (const [number, { at: when, server, kind, key: id, group, fresh, client }] of scenario.asks.entries()) {
    const key = kind === 'create' && id !== undefined ? `key${id}` : undefined
    if (key) keys.add(key)
    ask(when, server, {
      kind,
      key,
      word: key ?? `request${number}`,
      copies: group === 1,
      group: groups[group] as string,
      fresh,
      client: `client ${client}`
    })
  }
  const last = (kind: 'create' | 'list', word: string, key?: string): Asked =>
    ({ kind, key, word, copies: false, group: '', fresh: true, client: '' })
  // When all is well again, calls must go on, and keys be settled.
  world.at(CALM, () => {
    for (const { state } of servers) Object.assign(state.faults, { dropped: 0, lost: 0, delay: 0, partitioned: false })
  })
  for (const key of keys) ask(CALM + 10_000, 0, { ...last('create', key, key), settled: true })
  ask(END - 10_001, 0, last('list', 'last'))
  await world.run(END)
  const doubled = [...keys].filter((key) => spot.resources.filter(({ request }) => request === key).length > 1)
  if (doubled.length > 0) {
    for (const key of doubled) ask(LOOKED, 0, { ...last('create', key, key), doubled: true })
    await world.run(LOOKED + 60_000)
  }
  if (scenario.nextDay && keys.size > 0) {
    for (const server of running) server.kill()
    await world.run(TOMORROW)
    running.push(...running.splice(0).map((_, index) => start(index)))
    for (const key of keys) {
      for (const [index, wait] of [0, 45_000].entries()) {
        ask(TOMORROW + wait, index, last('create', `${key} tomorrow`, key))
      }
    }
    await world.run(TOMORROW + 2 * 60_000)
  }
  const hanging = [...open].filter(({ server }) => !server.clock.dead)
  return { requests, servers, spot, hanging }
}

/** What of a history breaks a promise; empty when none does. */
export function violations (scenario: Scenario, { requests, servers, spot, hanging }: History): string[] {
  const found: string[] = []
  const say = (promise: string, what: object) => found.push(`${promise}: ${JSON.stringify(what)}`)

  // Once per key: what was made with it beyond the first was carried out later than settle after its attempt ended.
  const byWord = new Map<string, Commit[]>()
  for (const commit of spot.commits) {
    if (commit.value !== undefined) byWord.set(commit.request, [...byWord.get(commit.request) ?? [], commit])
  }
  for (const [word, commits] of byWord) {
    const made = [...new Set(commits.map(({ id }) => id))]
    if (!word.startsWith('key') || made.length < 2) continue
    const first = commits[0] as Commit
    const again = commits.find(({ id, sent }) => id !== first.id && sent.at > first.at + SETTLE)
    if (again) say('none is sent once the first shows', { word, made })
    const late = commits.filter((commit) => isLate(commit))
    if (!scenario.later || late.length < made.length - 1) say('one of a key', { word, made })
  }

  for (const request of requests) {
    const { asked, reply, error, answers, lateness = 0, at, server } = request
    const about = { asked, server: server.name, at }
    if (lateness > 250) say('ends in time', { ...about, lateness })

    const own = byWord.get(asked.word) ?? []
    const problem = error instanceof Problem ? error.problem : undefined
    if (error && !problem) say('fails with a problem', { ...about, error: String(error) })
    if (!error && !reply) say('is answered', about)
    if (asked.settled && scenario.limit > 3 && !reply && problem !== 'duplicates-found') {
      say('a key is settled', { ...about, problem })
    }
    if (asked.doubled && problem !== 'duplicates-found') say('a duplicate is told', { ...about, problem })
    if (problem === 'idempotency-key-in-use') {
      const comers = scenario.asks.filter(({ kind, key, at: when }) =>
        kind === 'create' && `key${key}` === asked.key && when <= (request.endedAt ?? at))
      if (comers.length === 1 && asked.word === asked.key && !asked.settled) say('a key is in use by somebody', about)
    }
    if (problem === 'duplicates-found' && new Set(own.map(({ id }) => id)).size < 2) {
      say('duplicates are there', about)
    }
    if (asked.kind === 'create' && reply) {
      const { headers: { Location } } = reply as { headers: { Location: string } }
      if (!own.some(({ id }) => id === Location)) say('the answer names what was made', { ...about, Location })
    }
    if (asked.kind !== 'create' || asked.key === undefined) {
      const commits = spot.commits.filter(({ request, id, value }) => asked.kind === 'delete'
        ? id === asked.group && value === undefined
        : request === asked.word)
      const isWrite = !['list', 'get'].includes(asked.kind)
      const made = commits.length
      if (isWrite && asked.kind !== 'delete' && made > 1) say('sent at most once', { ...about, made })
      const isSure = problem && problem !== 'outcome-unknown' && asked.kind !== 'delete'
      if (isWrite && isSure && made > 0) say('a refusal made nothing', { ...about, problem })
      if (isWrite && reply && made === 0) say('what was answered was done', about)
    }

    for (const { answer: { source, askedAt, items }, age } of answers) {
      if (source === 'memory' && age >= scenario.freshFor) say('a hit is fresh', { ...about, age })
      if (asked.fresh && (source === 'memory' || source === 'stale')) {
        say("fresh is Spot's own word", { ...about, source })
      }
      const [first] = items as { told?: number }[]
      const seen = first?.told === undefined ? undefined : spot.told.get(first.told)
      if (!seen) continue
      if (!server.sent.some((sent) => sent.told === seen.id && sent.askedAt === askedAt)) {
        say('read from Spot at askedAt', { ...about, seen, askedAt })
      }
      for (const write of requests) {
        const isOlder = write.endedAt !== undefined && write.endedAt < at
        const touches = ['update', 'delete'].includes(write.asked.kind) &&
          (asked.kind === 'list' || write.asked.group === asked.group)
        // An answer of which the others cannot be told waits until what they have is no longer fresh.
        const isHeeded = write.told || (source === 'memory' && scenario.drift === 0)
        if (!isOlder || !touches || !isHeeded) continue
        // A server that is alone knows nothing of what it sent before it was started anew.
        const isUnknown = write.error instanceof Problem && write.error.problem === 'outcome-unknown' &&
          (scenario.servers > 1 || write.server === server)
        const commit = spot.commits.findLast((commit) => commit.at <= at && (write.asked.kind === 'update'
          ? commit.request === write.asked.word && (write.reply || (isUnknown && !isLate(commit)))
          : write.reply && commit.id === write.asked.group && commit.value === undefined))
        if (commit && seen.arrivedAt < commit.at) {
          say('nobody reads less than was written', { ...about, source, seen, at: commit.at })
        }
      }
    }
  }
  for (const asked of hanging) say('ends in time', { asked, hanging: true })

  // What a server was told by a 429 holds for it until its reset.
  for (const server of servers) {
    for (const { call, heard, heardAt, endsBy, roomAt = 0 } of server.sent) {
      if (!heard?.blocked || heardAt === undefined) continue
      const early = server.sent.find((sent) =>
        sent.call.operation === call.operation && sent.askedAt > heardAt && sent.askedAt < heardAt + heard.reset)
      const unready = scenario.drift === 0 && server.sent.find((sent) =>
        sent.call.operation === call.operation && sent.at > endsBy && sent.at < roomAt - 60)
      if (unready) say('none is sent before the reset is over', { server: server.name, at: unready.at, roomAt })
      if (early) say('none is sent while blocked', { server: server.name, heardAt, early: early.askedAt })
    }
  }
  const vain = heldUpInVain(scenario, requests)
  if (vain) say('nobody is held up while there is room', { asked: vain.asked, at: vain.at, error: String(vain.error) })
  const over = overTheLimit(scenario, servers)
  if (over) say("Spot's limit holds", over)
  // A call counts for a minute and a second after it ended, by a clock that may be slow, even if Spot refused it.
  const kept = 61_000 / (1 - scenario.drift) + 1000
  for (const { asked, at, error } of requests) {
    if (asked.word !== 'last' || !(error instanceof SpotError)) continue
    const sent = servers.flatMap((server) => server.sent)
    const recent = sent.filter(({ call, endsBy }) => call.operation === error.operation && endsBy > at - kept)
    if (recent.length < scenario.limit) say('calls go on', { ...error, recent: recent.map((one) => one.at) })
  }
  return found
}

/**
 * The first call that was sent though every server could know that Spot has no room for it. What nobody can know is
 * left out: clocks that run otherwise, links that fail, and calls that arrive after they were given up.
 */
function overTheLimit ({ drift, lost, troubles, servers: count, limit }: Scenario, servers: SimulatedServer[]) {
  const isApart = count > 1 && (lost > 0 || troubles.some(({ kind }) => kind !== 'outage'))
  if (limit === Infinity || drift > 0 || isApart || troubles.some(({ kind }) => kind === 'kill')) return undefined
  // Who is started anew on the next day has to learn the limit again.
  const sent = servers.flatMap((server) => server.sent).filter(({ at }) => at < TOMORROW)
  for (const operation of new Set(sent.map(({ call }) => call.operation))) {
    const calls = sent.filter(({ call }) => call.operation === operation)
    if (calls.some(({ endsBy, arrivedAt = endsBy }) => arrivedAt > endsBy)) continue
    const knownAt = Math.min(...calls.filter(({ heard }) => heard).map(({ endsBy }) => endsBy)) + 500
    const over = calls.find(({ at, heard }) => heard?.blocked && at > knownAt)
    if (over) return { operation, at: over.at }
  }
}

/**
 * The first read that was refused, or waited, though its route had room for it beside all calls that Spot may still
 * count and all requests under way, and its client had some of its share left. Of servers that share the limit, and of
 * one that was started anew, more is not known.
 */
function heldUpInVain ({ drift, limit, servers: count, troubles, faults, faultRate }: Scenario, requests: Request[]) {
  if (drift > 0 || count > 1 || troubles.some(({ kind }) => kind === 'kill')) return undefined
  const room = Math.min(limit - Math.floor(limit * 0.1), 10)
  const share = Math.max(1, limit / 2)
  const areSentAgain = faultRate > 0 && faults.includes('unsent')
  return requests.find((request) => {
    const { asked: { kind, client, group }, at, endedAt = Infinity, error, answers: [first], server } = request
    if (!['get', 'list'].includes(kind) || at > TOMORROW) return false
    const beside = requests.filter((other) =>
      other !== request && other.at <= endedAt && (other.endedAt ?? Infinity) >= at).map(({ asked }) => asked)
    const isRefused = error instanceof SpotError && ['rate-limited', 'expired'].includes(error.outcome)
    const operation = kind === 'get' ? 'getElastigroup' : 'listElastigroups'
    const own = first?.answer.source === 'spot' && first.answer.calls === 1 &&
      server.sent.find(({ askedAt }) => askedAt === first.answer.askedAt)
    const sent = server.sent.filter((one) => one !== own && one.call.operation === operation && one.at <= endedAt)
    // Who asks the same as another may wait for that one's call.
    const isAlone = !areSentAgain && !beside.some((other) => other.kind === kind && other.group === group) &&
      !sent.some(({ call, endsBy }) => endsBy > at && call.path.join() === (own || undefined)?.call.path.join())
    if (!isRefused && !(own && isAlone && own.at > at)) return false
    if (sent.some(({ heard, arrivedAt = 0, endsBy }) => heard?.blocked || arrivedAt > endsBy)) return false
    const counted = sent.filter(({ endsBy }) => endsBy > at - 61_100).map(({ call }) => call.client)
    const taken = [client, ...counted, ...beside.map((other) => other.client)]
    return taken.length <= room && taken.filter((one) => one === client).length <= share
  })
}

/** Whether it was carried out later than Spot is believed to. */
const isLate = ({ at, sent: { endsBy } }: Commit) => at > endsBy + SETTLE
