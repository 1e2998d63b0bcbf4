import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Configuration } from './configuration.js'

export type Secret = string | { env: string } | { file: string }

/**
 * The text of a secret. A line end at the end of a file is not part of it.
 *
 * @param folder what a relative file name is relative to
 * @throws {Error} when there is none; the message names the variable or the file, never the value
 */
export function resolveSecret (secret: Secret, environment: NodeJS.ProcessEnv, folder: string): string {
  if (typeof secret === 'string') return secret
  if ('env' in secret) {
    const value = environment[secret.env]
    // Every object has some names, such as `constructor`: those are not variables.
    if (typeof value !== 'string') throw new Error(`names the environment variable ${secret.env}, which is not set`)
    if (value === '') throw new Error(`names the environment variable ${secret.env}, which is empty`)
    return value
  }
  const value = contentOf(secret.file, folder)
  if (value === '') throw new Error(`names the file ${secret.file}, which is empty`)
  return value
}

function contentOf (file: string, folder: string): string {
  try {
    return readFileSync(resolve(folder, file), 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw new Error(`names the file ${file}, which cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

/** Every secret that is configured: tokens of accounts, keys of clients, the URL of a Redis and its password. */
export function secretsOf ({ accounts, clients, state }: Configuration): string[] {
  const redis = 'redis' in state ? [state.redis, decodeURIComponent(new URL(state.redis).password)] : []
  return [...Object.values(accounts).map(({ token }) => token), ...clients.flatMap(({ keys }) => keys), ...redis]
}
