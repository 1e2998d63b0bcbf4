import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import {
  fingerprintOf, Idempotency, markerOf, placeOf, wordOf, type Answer, type Finder, type KeyEvent
} from '../services/idempotency/index.js'

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * Carries out a create, once for each Idempotency-Key; without a key, just so.
     *
     * @param send creates it; where there is a marker, the resource is to carry it
     * @throws {Problem} whatever `send` throws, or what the key stands in the way of
     */
    once<A extends Answer> (send: (marker: string | undefined) => Promise<A>): Promise<A & { headers: Replayed }>
  }
}

interface Replayed { 'Idempotency-Replayed'?: string }

/** Looks for markers ask Spot itself. */
const look = { kind: 'read', fresh: true, told () {} } as const

/** Milliseconds after which it is asked anew what other servers left in doubt. */
const RECALL = 10 * 60_000

/** The level of each event; those that are not here are not logged. `unavailable` is not: the state itself says so. */
const levels: Partial<Record<KeyEvent, 'info' | 'warn' | 'error'>> = {
  unknown: 'warn', found: 'info', absent: 'info', duplicates: 'error'
}

export default fp(async function idempotency (
  app: FastifyInstance,
  { finders }: { finders: Partial<Record<string, Finder>> }
) {
  const { settle } = app.configuration
  const { keys } = app.measurements

  const finderOf = (account: string, operation: string) =>
    app.configuration.accounts[account]?.marker === false ? undefined : finders[operation]

  const idempotency = new Idempotency({
    store: app.state,
    settle,
    lists (account, operation) {
      const finder = finderOf(account, operation)
      return finder && (() => finder(app.spotinst.account(account, look)))
    },
    tell (event, about) {
      keys.count(event)
      const level = levels[event]
      if (level) app.log[level]({ event, ...about }, 'create with an Idempotency-Key')
    }
  })

  app.decorateRequest('once', async function once<A extends Answer> (
    this: FastifyRequest,
    send: (marker: string | undefined) => Promise<A>
  ) {
    const header = this.headers['idempotency-key']
    if (typeof header !== 'string') return send(undefined)
    const { client, spot, query, params, body, routeOptions: { config: { operationId = '' } } } = this
    const place = placeOf(client?.name ?? '', spot.name, wordOf(header))
    const fingerprint = fingerprintOf({ operationId, params, body })
    const create = { place, fingerprint, account: spot.name, operation: operationId, deadline: spot.deadline }
    const marker = finderOf(spot.name, operationId) && markerOf(place)
    if ((query as { dryRun?: boolean }).dryRun) return send(marker)
    const { answer, replayed } = await idempotency.once(create, () => send(marker))
    return replayed ? { ...answer, headers: { ...answer.headers, 'Idempotency-Replayed': 'true' } } : answer
  } as FastifyRequest['once'])

  let timer: NodeJS.Timeout
  // The sandbox begins with nothing, and may run where nothing can be written.
  let recalled = app.configuration.sandbox ? performance.now() : -Infinity
  /** Over and over; while the store can not be read it tries on, and the store itself says so. */
  const sweep = async () => {
    try {
      if (performance.now() - recalled > RECALL) {
        await idempotency.recall()
        recalled = performance.now()
      }
      await idempotency.sweep()
    } catch {}
    timer = setTimeout(sweep, settle).unref()
  }
  app.addHook('onListen', () => { sweep() })
  app.addHook('onClose', async () => clearTimeout(timer))
}, { name: 'idempotency', dependencies: ['config', 'metrics', 'spotinst', 'state'] })
