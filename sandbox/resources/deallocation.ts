import { invalid } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import { unknownKeys } from '../protocol/validation.js'
import type { Violation } from '../protocol/validation.js'

/** The objects of a delete body, each with its flags. */
export type DeleteBody = Record<string, readonly string[]>

const RESOURCES = [
  'shouldDeleteImages', 'shouldDeleteNetworkInterfaces', 'shouldDeleteVolumes', 'shouldDeleteSnapshots'
]

/** What can be deleted with a group. Source: vendor OpenAPI. */
export const GROUP_DELETE_BODY: DeleteBody = {
  statefulDeallocation: RESOURCES,
  amiBackup: ['shouldDeleteImages'],
  beanstalk: ['rollbackToAsg']
}

/** What can be deleted with a managed instance. Source: vendor OpenAPI. */
export const MANAGED_INSTANCE_DELETE_BODY: DeleteBody = {
  deallocationConfig: ['shouldTerminateInstance', ...RESOURCES],
  amiBackup: ['shouldDeleteImages']
}

/**
 * Checks the optional body of a delete. Nothing is deallocated: there is no AWS behind the sandbox, and
 * the transcript shows the request.
 * @throws SandboxError 400 for unknown objects and flags, and for flags that are not boolean
 */
export function checkDeleteBody (body: unknown, shape: DeleteBody): void {
  if (body === undefined) return
  if (!isObject(body)) throw invalid([{ message: '"value" must be an object', field: 'value' }])
  const found: Violation[] = unknownKeys(body, Object.keys(shape))
  for (const [name, flags] of Object.entries(shape)) {
    const given = body[name]
    if (given === undefined || given === null) continue
    if (!isObject(given)) {
      found.push({ message: `"${name}" must be an object`, field: name })
      continue
    }
    found.push(...unknownKeys(given, flags, `${name}.`))
    for (const flag of flags) {
      const value = given[flag] ?? null
      if (value === null || typeof value === 'boolean') continue
      found.push({ message: `"${flag}" must be a boolean`, field: `${name}.${flag}` })
    }
  }
  if (found.length > 0) throw invalid(found)
}
