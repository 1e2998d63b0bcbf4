import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { inAccount } from '../openapi/paths.js'
import {
  fingerprintOf, Idempotency, keyFromHeader, storageKeyOf, type Create, type Finder, type KeyEvent, type Reply
} from '../services/idempotency/index.js'
import { systemClock as clock } from '../services/spot/clock.js'
import { FIRST_USE } from './state.js'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Gives the stored reply to a create again, where its Idempotency-Key has one: before guardrails judge it, and
     * though Spot may be down. A hook, which `once` needs.
     *
     * @throws {Problem} those of `Idempotency.replay`
     */
    replay: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>
  }
  interface FastifyRequest {
    /**
     * Carries out a create, once for each Idempotency-Key; without a key, just so.
     *
     * @param send creates it; where there is a marker, the resource is to carry it
     * @throws {Problem} whatever `send` throws, or those of `Idempotency.once`
     */
    once<R extends Reply> (send: (marker: string | undefined) => Promise<R>): Promise<R & { headers: Replayed }>
  }
}

interface Replayed { 'Idempotency-Replayed'?: string }

/** Milliseconds until the state is read again for keys that other servers left in doubt. */
const RECALL = 10 * 60_000

/** The level of each event; those that are not here are not logged. `unavailable` is not: the state itself says so. */
const levels: Partial<Record<KeyEvent, 'info' | 'warn' | 'error'>> = {
  unknown: 'warn', found: 'info', absent: 'info', duplicates: 'error'
}

/** A stored reply for this account: it may have had another name then. */
const again = ({ headers: { Location }, ...reply }: Reply, account: string) => ({
  ...reply,
  headers: { Location: inAccount(Location, account), 'Idempotency-Replayed': 'true' }
})

export default fp(async function idempotency (
  app: FastifyInstance,
  { finders }: { finders: Partial<Record<string, Finder>> }
) {
  const { keys } = app.measurements
  const { settle, sandbox } = app.configuration

  const nameOf = (identity: string) =>
    Object.keys(app.configuration.accounts).find((name) => app.spot.identity(name) === identity)

  const idempotency = new Idempotency({
    records: app.state,
    clock,
    settle,
    finderOf (identity, operation) {
      const name = nameOf(identity)
      const find = finders[operation]
      if (!find || name === undefined || app.configuration.accounts[name]?.marker === false) return undefined
      return () => find(app.spot.account(name, { kind: 'read', fresh: true, reserved: true }))
    },
    onEvent (event, { account, ...about }) {
      keys.count(event)
      const level = levels[event]
      if (level) app.log[level]({ event, account: nameOf(account), ...about }, 'create with an Idempotency-Key')
    }
  })
  keys.watchInDoubt(() => idempotency.inDoubt)

  /** A create that has a key. A dry run sends nothing, so its key is left alone. */
  function createOf ({ headers, client, account, params, body, operation }: FastifyRequest): Create | undefined {
    const { operationId = '' } = operation
    const header = headers['idempotency-key']
    if (typeof header !== 'string' || account.dryRun) return undefined
    const { account: _, ...resource } = params as { account: string }
    const { identity } = account
    return {
      storageKey: storageKeyOf(client?.name ?? '', identity, keyFromHeader(header)),
      fingerprint: fingerprintOf({ operationId, params: resource, body }),
      account: identity,
      operation: operationId,
      deadline: account.deadline
    }
  }

  const creates = new WeakMap<FastifyRequest, Create>()
  app.decorate('replay', async (request, reply) => {
    const create = createOf(request)
    if (!create) return
    creates.set(request, create)
    const stored = await idempotency.replay(create)
    if (!stored) return
    const { status, headers, body } = again(stored, request.account.name)
    return reply.code(status).headers(headers).type('application/json').send(body)
  })
  app.decorateRequest('once', async function once<R extends Reply> (
    this: FastifyRequest,
    send: (marker: string | undefined) => Promise<R>
  ) {
    const create = creates.get(this)
    if (!create) return send(undefined)
    const { reply, replayed } = await idempotency.once(create, send)
    return replayed ? again(reply, this.account.name) : reply
  } as FastifyRequest['once'])

  let timer: NodeJS.Timeout
  let closing = false
  // The sandbox begins with nothing, and may run where nothing can be written.
  let recalled = sandbox ? clock.now() : -Infinity
  /** Over and over; while the state cannot be read it goes on, and the state itself says so. */
  const sweep = async () => {
    if (clock.now() - recalled > RECALL) {
      await idempotency.recall().then(() => { recalled = clock.now() }, () => {})
    }
    await idempotency.sweep()
    if (!closing) timer = setTimeout(sweep, settle).unref()
  }
  app.addHook('onListen', () => { timer = setTimeout(sweep, FIRST_USE).unref() })
  app.addHook('onClose', async () => {
    closing = true
    clearTimeout(timer)
    idempotency.close()
  })
}, { name: 'idempotency', dependencies: ['config', 'metrics', 'spot', 'state'] })
