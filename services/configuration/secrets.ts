import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

export type Secret = string | { env: string } | { file: string }

/**
 * The text a secret stands for. A line end after it in a file is not part of it.
 *
 * @param folder what a relative file name is relative to
 * @throws {Error} when the variable is not set or the file can not be read; the message names which, never the value
 */
export function resolveSecret (secret: Secret, environment: NodeJS.ProcessEnv, folder: string): string {
  if (typeof secret === 'string') return secret
  if ('env' in secret) {
    const value = environment[secret.env]
    if (!value) throw new Error(`names the environment variable ${secret.env}, which is not set`)
    return value
  }
  try {
    return readFileSync(resolve(folder, secret.file), 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw new Error(`names the file ${secret.file}, which can not be read (${(error as NodeJS.ErrnoException).code})`)
  }
}
