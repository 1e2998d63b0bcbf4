import fp from 'fastify-plugin'
import { version } from '../services/release.js'
import { createTransport, spotinst, type Deadlines, type Spotinst } from '../services/spotinst/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Spot, by the names of the configured accounts. */
    spotinst: Spotinst
  }
}

export default fp<{ deadlines?: Deadlines | undefined }>(async function spot (app, { deadlines }) {
  const transport = createTransport(version, deadlines)
  app.addHook('onClose', async () => transport.close())

  app.decorate('spotinst', spotinst(app.configuration.accounts, transport, (account, call) => {
    const { operation, outcome, seconds, error } = call
    app.measurements.upstream.observe({ account, operation, outcome }, seconds)
    const { code, details } = error ?? {}
    app.log.debug({ account, operation, outcome, seconds, code, upstream: details?.upstream }, 'call to Spot ended')
  }))
}, { name: 'spotinst', dependencies: ['config', 'metrics'] })
