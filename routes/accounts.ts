import type { Handlers } from '../openapi/handlers.js'

export const accounts = {
  listAccounts ({ server }) {
    const accounts = Object.entries(server.configuration.accounts)
    return { status: 200, body: accounts.map(([name, { region }]) => ({ name, region: region ?? null })) }
  }
} satisfies Partial<Handlers>
