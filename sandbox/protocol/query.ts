import { invalid } from './errors.js'
import type { JsonObject } from './json.js'
import { violations } from './validation.js'
import type { Rule } from './validation.js'

/**
 * The query parameters that `rules` name, converted to their types; others are ignored.
 * @throws SandboxError 400 naming everything that is wrong with them
 */
export function readQuery (query: Record<string, unknown>, rules: Rule[]): JsonObject {
  const given = Object.fromEntries(rules.map((rule) => [rule.path, convert(rule, query[rule.path])]))
  const found = violations(rules, given, '', true, false)
  if (found.length > 0) throw invalid(found)
  return given
}

function convert ({ type }: Rule, text: unknown): unknown {
  if (typeof text !== 'string') return text
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  const isNumber = (type === 'integer' || type === 'number') && /^-?\d+(\.\d+)?$/.test(text)
  return isNumber ? Number(text) : text
}
