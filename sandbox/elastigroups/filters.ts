import { readDate } from '../protocol/dates.js'
import { invalid } from '../protocol/errors.js'
import { readBoolean } from '../protocol/json.js'
import { readQuery } from '../protocol/query.js'
import type { Account } from '../world.js'
import type { Group } from './model.js'

/**
 * The groups that match the filters of a list, oldest first: `name` compares exactly, dates include their
 * bounds, a group is active from its creation to its deletion. Deleted ones come only with `includeDeleted`.
 * Source: Java SDK and vendor OpenAPI.
 * @throws SandboxError 400 for an invalid date, and for both kinds of dates at once
 */
export function filterGroups (account: Account, query: Record<string, unknown>): Group[] {
  const { name } = query
  const options = readQuery(query, [{ path: 'name', type: 'string' }, { path: 'includeDeleted', type: 'boolean' }])
  const given = ['minCreatedAt', 'maxCreatedAt', 'activeFrom', 'activeTo'].filter((key) => query[key] !== undefined)
  if (given.some((key) => key.endsWith('CreatedAt')) && given.some((key) => key.startsWith('active'))) {
    const message = `"value" contains a conflict between exclusive peers [${given.join(', ')}]`
    throw invalid([{ message, field: 'value' }])
  }
  const createdFrom = bound(query, 'minCreatedAt') ?? -Infinity
  const createdTo = bound(query, 'maxCreatedAt') ?? Infinity
  const activeFrom = bound(query, 'activeFrom') ?? -Infinity
  const activeTo = bound(query, 'activeTo') ?? Infinity
  const all = readBoolean(options, 'includeDeleted') === true
    ? [...account.deletedGroups, ...account.groups.values()].sort((a, b) => a.createdAt - b.createdAt)
    : [...account.groups.values()]
  return all
    .filter((group) => name === undefined || group.content.name === name)
    .filter(({ createdAt }) => createdAt >= createdFrom && createdAt <= createdTo)
    .filter(({ createdAt, deletedAt = Infinity }) => createdAt <= activeTo && deletedAt >= activeFrom)
}

function bound (query: Record<string, unknown>, name: string): number | undefined {
  const text = query[name]
  if (text === undefined) return undefined
  const time = typeof text === 'string' ? readDate(text, 'milliseconds') : undefined
  if (time === undefined) throw invalid([{ message: `"${name}" must be a valid date`, field: name }])
  return time
}
