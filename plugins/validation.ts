import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { compileBody, compileParameters, type LazyValidator } from '../openapi/validators.js'

/** Requests are checked as the document says. Replies are written as they are: tests check them. */
export default fp(async function validation (app: FastifyInstance) {
  const validators = new Set<LazyValidator>()
  app.setValidatorCompiler<object>(({ schema, httpPart }) => {
    const validator = httpPart === 'body' ? compileBody(schema) : compileParameters(schema)
    validators.add(validator)
    return validator as never
  })
  // A newline at the end, so that a terminal begins a new line after it.
  app.setReplySerializer((body) => `${JSON.stringify(body)}\n`)
  app.addHook('onListen', () => { warmUp(validators) })
}, { name: 'validation' })

/** One at a time, between requests; a process that ends does not wait for it. */
async function warmUp (validators: Iterable<LazyValidator>): Promise<void> {
  for (const validator of validators) {
    await sleep(1, undefined, { ref: false })
    validator.compile()
  }
}
