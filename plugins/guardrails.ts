import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { judge, type Guardrails } from '../services/guardrails/index.js'
import { masksIn } from '../services/masking/index.js'
import { Problem, type ProblemError } from '../services/problems/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Lets a write pass that has no masked secret, and leaves nothing behind that the rules of its account, or of its
     * client, do not allow.
     * @throws {Problem} masked-secret or guardrail-breached
     */
    guard: (request: FastifyRequest) => Promise<void>
  }
  interface FastifyRequest {
    /** The rules that hold for it: those of its account, then those of its client. */
    readonly rules: Guardrails[]
  }
}

export default fp(async function guardrails (app: FastifyInstance) {
  const { refusals } = app.measurements

  app.decorateRequest('rules', {
    getter (this: FastifyRequest) {
      const { account = '' } = this.params as { account?: string }
      const all = [app.configuration.accounts[account]?.guardrails, this.client?.guardrails]
      return all.filter((rules) => rules !== undefined)
    }
  })

  app.decorate('guard', async (request) => {
    const masks = masksIn(request.body)
    if (masks.length > 0) throw maskedSecret(masks)
    const { rules, account, params, query, body, operation: { operationId = '' } } = request
    if (rules.length === 0) return
    const accountRegion = app.configuration.accounts[account.name]?.region
    const errors = await judge({
      operationId, params: params as object, query: query as object, body, rules, accountRegion, spot: account.fresh
    })
    if (errors.length === 0) return
    refusals.count('guardrail')
    throw breached(errors)
  })
}, { name: 'guardrails', dependencies: ['config', 'metrics', 'spot'] })

/** Places that `detail` names; `errors` has them all. */
const SPELT_OUT = 3

function breached (errors: ProblemError[]): Problem {
  const shown = errors.slice(0, SPELT_OUT)
  const spelt = shown.map(({ pointer, parameter, message }) => `${pointer ?? parameter} ${message}`)
  const more = errors.length > SPELT_OUT ? `; and ${errors.length - SPELT_OUT} more` : ''
  return new Problem('guardrail-breached', {
    detail: `${spelt.join('; ')}${more}.`,
    hint: 'The operator sets these limits. With dryRun=true a request can be tried against them.',
    errors
  })
}

const maskedSecret = (pointers: string[]) => new Problem('masked-secret', {
  detail: `${pointers.slice(0, SPELT_OUT).join(', ')} is not the secret, but what this server shows in its place.`,
  hint: 'Leave the property out: in an update, what is missing stays as it is.',
  errors: pointers.map((pointer) => ({ pointer, code: 'masked', message: 'is masked' }))
})
