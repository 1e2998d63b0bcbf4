import type { Handlers } from '../openapi/handlers.js'
import { release } from '../services/process/release.js'

export const system = {
  ping: () => ({ status: 200, body: 'pong' }),

  ready ({ server }) {
    server.lifecycle.assertReady()
    return { status: 200, body: { ready: true, state: server.state.failure ? 'down' : 'up' } }
  },

  getVersion: ({ server }) => ({ status: 200, body: release(server.configuration.source) }),

  async getMetrics ({ server }) {
    const { registry } = server.measurements
    return { status: 200, headers: { 'content-type': registry.contentType }, body: await registry.metrics() }
  },

  getOpenApiJson: ({ server }) => ({ status: 200, body: { ...server.swagger() } }),

  getOpenApiYaml: ({ server }) => ({ status: 200, body: server.swagger({ yaml: true }) })
} satisfies Partial<Handlers>
