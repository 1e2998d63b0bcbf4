import type { Handlers } from '../openapi/handlers.js'
import { pathOf } from '../openapi/paths.js'

export const imports = {
  createImport: (request) => request.once(async () => {
    const { account, body } = request
    const started = await account.imports.create(body)
    const Location = pathOf('getImport', { account: account.name, import: String(started.migrationId) })
    return { status: 201, headers: { Location }, body: started } as const
  }),

  async getImport ({ account, params }) {
    return { status: 200, body: await account.imports.get(params.import) }
  }
} satisfies Partial<Handlers>
