import type { Handlers } from '../openapi/handlers.js'
import { mayUse, type Client } from '../services/access/clients.js'

export const accounts = {
  listAccounts ({ server, client }) {
    const accounts = Object.entries(server.configuration.accounts).filter(([name]) => mayUse(client as Client, name))
    return { status: 200, body: accounts.map(([name, { region }]) => ({ name, region: region ?? null })) }
  },

  whoami ({ server, client }) {
    const { name, access, allowDelete, expires } = client as Client
    const accounts = Object.keys(server.configuration.accounts).filter((account) => mayUse(client as Client, account))
    const until = expires === undefined ? null : new Date(expires).toISOString()
    return { status: 200, body: { name, accounts, access, allowDelete, expires: until } }
  }
} satisfies Partial<Handlers>
