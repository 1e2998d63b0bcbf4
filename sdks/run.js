import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** A tool or a package that is needed is not installed. */
export class Lacks extends Error {}

/** Whether a command is on the PATH. */
export const has = (command) => (process.env.PATH ?? '').split(delimiter).some((folder) => {
  try {
    accessSync(join(folder, command), constants.X_OK)
    return true
  } catch {
    return false
  }
})

/**
 * Runs a program to its end.
 *
 * @param environment is added to that of this process
 * @returns what it printed
 * @throws {Error} with all that it printed, if its exit code is not 0
 */
export async function run (program, words, { cwd, environment = {} } = {}) {
  const { NODE_OPTIONS, ...env } = process.env
  const child = spawn(program, words, { cwd, env: { ...env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let all = ''
  child.stdout.on('data', (chunk) => { output += chunk; all += chunk })
  child.stderr.on('data', (chunk) => { all += chunk })
  const kill = () => child.kill()
  process.once('exit', kill)
  const [code] = await once(child, 'close')
  process.off('exit', kill)
  if (code !== 0) throw new Error(`${[program, ...words].join(' ')}: exit code ${code}\n${all}`)
  return output
}

/** Runs what fetches packages from elsewhere. @throws {Lacks} if it fails */
export const fetchPackages = (...command) => run(...command).catch(({ message }) => { throw lacksPackages(message) })

/** @param message of what failed to fetch them; its end says why */
export const lacksPackages = (message) => new Lacks(`its packages cannot be fetched: ${message.slice(-500)}`)
