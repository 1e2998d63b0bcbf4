import type { Handlers } from '../openapi/handlers.js'

export const imports = {
  async createImport ({ spot, params: { account }, body }) {
    const started = await spot.imports.create(body)
    const Location = `/v1/spot/${account}/instances/imports/${started.migrationId}`
    return { status: 201, headers: { Location }, body: started }
  },

  async getImport ({ spot, params }) {
    return { status: 200, body: await spot.imports.get(params.import) }
  }
} satisfies Partial<Handlers>
