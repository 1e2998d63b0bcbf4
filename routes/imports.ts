import type { Handlers } from '../openapi/handlers.js'

export const imports = {
  async createImport ({ server, params: { account }, body }) {
    const started = await server.spotinst.account(account).imports.create(body)
    const Location = `/v1/spot/${account}/instances/imports/${started.migrationId}`
    return { status: 201, headers: { Location }, body: started }
  },

  async getImport ({ server, params }) {
    return { status: 200, body: await server.spotinst.account(params.account).imports.get(params.import) }
  }
} satisfies Partial<Handlers>
