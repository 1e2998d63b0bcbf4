import { invalid } from './errors.js'
import { isObject } from './json.js'
import type { JsonObject } from './json.js'
import { converted, locations, unknownKeys, violations } from './validation.js'
import type { Rule, Violation } from './validation.js'

/**
 * The body of an action; it may hold only what `rules` name.
 * @throws SandboxError 400 naming everything that is wrong with it
 */
export function readBody (body: unknown, rules: Rule[]): JsonObject {
  const sent = body ?? {}
  if (!isObject(sent)) throw invalid([{ message: '"value" must be an object', field: 'value' }])
  const values = converted(rules, sent)
  const found = [...unknownKeysByParent(values, rules), ...violations(rules, values, '', true, false)]
  if (found.length > 0) throw invalid(found)
  return values
}

/** The rules, moved below `path`. */
export function below (path: string, rules: Rule[]): Rule[] {
  return rules.map((rule) => ({ ...rule, path: `${path}.${rule.path}` }))
}

function unknownKeysByParent (body: JsonObject, rules: Rule[]): Violation[] {
  const parents = ['', ...rules.filter((rule) => rule.type === 'object').map((rule) => rule.path)]
  return parents.flatMap((parent) => {
    const prefix = parent === '' ? '' : `${parent}.`
    const known = rules.map((rule) => rule.path)
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length).replace(/[[.].*/, ''))
    // Objects without rules of their own may hold anything.
    if (known.length === 0) return []
    return locations(body, parent === '' ? [] : parent.split('.'), '').flatMap(({ field, value }) =>
      isObject(value) ? unknownKeys(value, known, field === '' ? '' : `${field}.`) : [])
  })
}
