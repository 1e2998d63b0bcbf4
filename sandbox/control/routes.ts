import { STATUS_CODES } from 'node:http'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Clock } from '../clock.js'
import type { Faults } from '../faults/model.js'
import type { RateLimit } from '../protocol/rate-limit.js'
import { restore, takeSnapshot } from '../state/snapshot.js'
import type { RecordedCall } from '../transcript.js'
import type { World } from '../world.js'
import { check, InvalidJson } from './check.js'
import { readFaults, showFault } from './faults.js'

/** Where these routes are. No path of Spot begins so. */
export const CONTROL = '/_sandbox'

/** What can be looked at and changed from outside. */
export interface Controlled {
  clock: Clock
  faults: Faults
  rateLimit: RateLimit
  transcript: RecordedCall[]
  world: World
  /** Makes the world what it was at first. */
  reset: () => void
  /** Called when a caller has changed the world. */
  onChange: () => void
}

type Handle = (parts: Controlled, body: unknown) => object | undefined | Promise<object | undefined>
type Methods = Partial<Record<'GET' | 'POST' | 'PUT' | 'DELETE', Handle>>

/** What each path answers: JSON, or 204 for nothing. */
const ROUTES: Record<string, Methods> = {
  [CONTROL]: {
    DELETE (parts) {
      parts.reset()
      parts.faults.clear()
      parts.transcript.length = 0
      parts.rateLimit.clear()
      parts.onChange()
      return undefined
    }
  },
  [`${CONTROL}/state`]: {
    GET: ({ world, clock }) => takeSnapshot(world, clock.now()),
    async PUT ({ world, clock, onChange }, body) {
      await restore(world, clock, body)
      onChange()
      return undefined
    },
    DELETE ({ reset, onChange }) {
      reset()
      onChange()
      return undefined
    }
  },
  [`${CONTROL}/faults`]: {
    GET: ({ faults }) => faults.waiting.map(({ fault, left }) => ({ ...showFault(fault), left })),
    async POST ({ faults }, body) {
      for (const fault of await readFaults([body])) faults.inject(fault)
      return undefined
    },
    async PUT ({ faults }, body) {
      const ordered = await readFaults(body)
      faults.clear()
      for (const fault of ordered) faults.inject(fault)
      return undefined
    },
    DELETE ({ faults }) {
      faults.clear()
      return undefined
    }
  },
  [`${CONTROL}/clock`]: {
    GET: ({ clock }) => ({ now: new Date(clock.now()).toISOString() }),
    async POST ({ clock, onChange }, body) {
      await check(ADVANCE, body)
      clock.advance((body as { advanceSeconds: number }).advanceSeconds * 1000)
      onChange()
      return { now: new Date(clock.now()).toISOString() }
    }
  },
  [`${CONTROL}/calls`]: {
    GET: ({ transcript }) => transcript,
    DELETE ({ transcript }) {
      transcript.length = 0
      return undefined
    }
  }
}

/** Time only moves forward: up to a hundred years at once. */
const ADVANCE = {
  type: 'object',
  properties: { advanceSeconds: { type: 'number', minimum: 0, maximum: 100 * 366 * 86_400 } },
  required: ['advanceSeconds'],
  additionalProperties: false
}

/** A world of many groups, with their logs. */
const BODY_LIMIT_BYTES = 256 * 1024 * 1024

/** Adds the routes to a sandbox. They need no token, and no call of them is recorded. */
export function addControl (app: FastifyInstance, parts: Controlled): void {
  for (const [url, methods] of Object.entries(ROUTES)) {
    for (const [method, handle] of Object.entries(methods)) {
      app.route({
        method,
        url,
        bodyLimit: BODY_LIMIT_BYTES,
        handler: (request, reply) => answer(reply, () =>
          handle(parts, method === 'PUT' || method === 'POST' ? parse(request.body) : undefined))
      })
    }
  }
}

/** Whether a URL, as received, belongs to these routes. */
export function isControl (url: string): boolean {
  return url === CONTROL || url.startsWith(`${CONTROL}/`) || url.startsWith(`${CONTROL}?`)
}

/** Refuses a path, or a method of a path, that there is not. */
export function refuseControl (url: string, reply: FastifyReply): FastifyReply {
  const methods = Object.keys(ROUTES[url.split('?', 1)[0] ?? ''] ?? {})
  return methods.length > 0
    ? problem(reply.header('allow', methods.join(', ')), 405, `Allowed here: ${methods.join(', ')}`)
    : problem(reply, 404, `There are ${Object.keys(ROUTES).join(', ')}`)
}

async function answer (reply: FastifyReply, handle: () => ReturnType<Handle>): Promise<FastifyReply> {
  try {
    const found = await handle()
    return found === undefined
      ? reply.code(204).send()
      : reply.type('application/json; charset=utf-8').send(JSON.stringify(found))
  } catch (error) {
    if (error instanceof InvalidJson) return problem(reply, 400, error.message)
    throw error
  }
}

function problem (reply: FastifyReply, status: number, detail: string): FastifyReply {
  const body = { title: STATUS_CODES[status], status, detail }
  return reply.code(status).type('application/problem+json').send(JSON.stringify(body))
}

function parse (body: unknown): unknown {
  try {
    return JSON.parse(typeof body === 'string' ? body : '')
  } catch (error) {
    throw new InvalidJson(`The body is not valid JSON: ${(error as Error).message}`)
  }
}
