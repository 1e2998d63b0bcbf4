import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { textOf } from '../resources/utf8.js'

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
  const value = textOf(contentOf(secret.file, folder))?.replace(/\r?\n$/, '')
  if (value === undefined) throw new Error(`names the file ${secret.file}, which is not UTF-8`)
  if (value === '') throw new Error(`names the file ${secret.file}, which is empty`)
  return value
}

function contentOf (file: string, folder: string): Buffer {
  try {
    return readFileSync(resolve(folder, file))
  } catch (error) {
    throw new Error(`names the file ${file}, which cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}
