import type { Handlers } from '../openapi/handlers.js'

export const imports = {
  createImport: (request) => request.once(async () => {
    const { spot, body } = request
    const started = await spot.imports.create(body)
    const Location = `/v1/spot/${spot.name}/instances/imports/${started.migrationId}`
    return { status: 201, headers: { Location }, body: started } as const
  }),

  async getImport ({ spot, params }) {
    return { status: 200, body: await spot.imports.get(params.import) }
  }
} satisfies Partial<Handlers>
