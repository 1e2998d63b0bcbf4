import type { Handlers } from '../openapi/handlers.js'

export const imports = {
  createImport: (request) => request.once(async () => {
    const { account, body } = request
    const started = await account.imports.create(body)
    const Location = `/v1/spot/${account.name}/instances/imports/${started.migrationId}`
    return { status: 201, headers: { Location }, body: started } as const
  }),

  async getImport ({ account, params }) {
    return { status: 200, body: await account.imports.get(params.import) }
  }
} satisfies Partial<Handlers>
