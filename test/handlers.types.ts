/* Checked by the compiler alone (npm run typecheck): each line under a @ts-expect-error must not compile. */
import type { Handlers, Reply } from '../openapi/handlers.js'
import { handlers } from '../routes/index.js'

const { ping, ...withoutPing } = handlers

// @ts-expect-error an operation is missing
export const missing: Handlers = withoutPing

export const extra = {
  ping: () => ({ status: 200, body: 'pong' }),
  // @ts-expect-error the contract has no such operation
  pong: () => ({ status: 200, body: 'ping' })
} satisfies Partial<Handlers>

export const parameter = {
  async getElastigroup ({ params }) {
    // @ts-expect-error the parameter is called elastigroup
    return { status: 200, body: { id: params.group } }
  }
} satisfies Partial<Handlers>

export const query = {
  async getElastigroupCosts ({ query }) {
    // @ts-expect-error the parameter is called start
    return { status: 200, body: { running: { unit: query.from } } }
  }
} satisfies Partial<Handlers>

// @ts-expect-error a create answers 201
export const status: Reply<'createElastigroup'> = { status: 200, headers: { Location: '/' }, body: {} }

// @ts-expect-error a create says where the new resource is
export const header: Reply<'createElastigroup'> = { status: 201, body: {} }

// @ts-expect-error a summary has more than an id
export const shape: Reply<'listElastigroups'> = { status: 200, body: [{ id: 'sig-1' }] }

// @ts-expect-error a 204 has no body
export const body: Reply<'deleteElastigroup'> = { status: 204, body: {} }
