import { invalid } from './errors.js'
import type { JsonObject } from './json.js'
import { convert, violations } from './validation.js'
import type { Rule } from './validation.js'

/**
 * The query parameters that `rules` name, converted to their types; others are ignored.
 * @throws SandboxError 400 naming everything that is wrong with them
 */
export function readQuery (query: Record<string, unknown>, rules: Rule[]): JsonObject {
  const given = Object.fromEntries(rules.map((rule) => [rule.path, convert(rule.type, query[rule.path])]))
  const found = violations(rules, given, '', true, false)
  if (found.length > 0) throw invalid(found)
  return given
}
