import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Client } from '../access/clients.js'
import type { Configuration } from '../configuration/index.js'
import { openState } from '../state/index.js'

/** What each client may do, a line each. */
export const rightsOf = ({ clients }: Configuration): string[] => clients.map((client) => {
  const { name, accounts, guardrails, expires } = client
  return [
    `${name} may ${rights(client)} in ${accounts.includes('*') ? 'all accounts' : accounts.join(', ')}`,
    ...guardrails ? ['with guardrails of its own'] : [],
    ...expires === undefined ? [] : [`until ${new Date(expires).toISOString()}`]
  ].join(', ')
})

function rights ({ access, allowDelete }: Client): string {
  if (access === 'read') return 'read, with secrets masked,'
  return allowDelete ? 'read, write and delete' : 'read and write, but not delete,'
}

/** What can be used, but will hardly do what was meant. */
export function warningsOf ({ clients, state, audit }: Configuration): string[] {
  return [
    ...clients.filter(({ expires = Infinity }) => expires <= Date.now())
      .map(({ name, expires = 0 }) => `The keys of the client ${name} ended at ${new Date(expires).toISOString()}.`),
    ...'directory' in state ? impossible('state.directory', state.directory) : [],
    ...audit !== undefined && audit !== 'stdout' ? impossible('audit.file', dirname(resolve(audit.file))) : []
  ]
}

/** Why a directory can neither be used nor be made, by the user who asks. */
function impossible (setting: string, directory: string): string[] {
  let there = resolve(directory)
  while (!existsSync(there)) there = dirname(there)
  if (!statSync(there).isDirectory()) return [`${setting}: ${there} is not a directory.`]
  try {
    accessSync(there, constants.W_OK | constants.X_OK)
    return []
  } catch {
    return [`${setting}: this user cannot write to ${there}.`]
  }
}

/** Writes to the Redis of the configuration, if it has one. @returns why it cannot be used */
export async function unreachable ({ state: settings }: Configuration): Promise<string | undefined> {
  if ('directory' in settings) return undefined
  const state = openState(settings)
  await state.probe()
  const { failure } = state
  await state.close()
  return failure?.message
}
