import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Account } from '../services/spot/account.js'
import { wantsFresh } from './replies.js'

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * The Spot account that the path names, for the time this request has. It opens when it is first asked for.
     * @throws {Problem} account-not-found
     */
    readonly account: Account
  }
}

const opened = new WeakMap<FastifyRequest, Account>()

/** The account of a request, if something asked for it: to say what the request cost opens none. */
export const openedAccount = (request: FastifyRequest): Account | undefined => opened.get(request)

export default fp(async function account (app: FastifyInstance) {
  app.decorateRequest('account', {
    getter (this: FastifyRequest) {
      const known = opened.get(this)
      if (known) return known
      const account = app.spot.account((this.params as { account: string }).account, {
        kind: this.operation.kind === 'write' ? 'write' : 'read',
        client: this.client?.name ?? '',
        fresh: wantsFresh(this),
        dryRun: (this.query as { dryRun?: boolean }).dryRun === true,
        traceparent: this.trace?.parent
      })
      opened.set(this, account)
      return account
    }
  })
}, { name: 'account', dependencies: ['spot', 'auth', 'trace'] })
