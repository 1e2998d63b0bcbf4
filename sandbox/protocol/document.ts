import { createRequire } from 'node:module'
import type { Rule } from './validation.js'

interface Schema {
  $ref?: string
  allOf?: Schema[]
  type?: Rule['type']
  properties?: Record<string, Schema>
  items?: Schema
  required?: string[]
  nullable?: boolean
}

const require = createRequire(import.meta.url)

/**
 * The rules for bodies of the schema called `name`: types and required fields come from this project's published
 * document, `own` replaces or adds single rules. The document is read at the first call: a start does not need it.
 */
export function documentRules (name: string, own: Rule[]): () => Rule[] {
  let rules: Rule[] | undefined
  return () => {
    if (rules !== undefined) return rules
    const byPath = new Map<string, Rule>()
    for (const rule of [...typesOf(name), ...own]) byPath.set(rule.path, { ...byPath.get(rule.path), ...rule })
    rules = [...byPath.values()]
    return rules
  }
}

function typesOf (name: string): Rule[] {
  const document = require('spot-api/openapi.json') as { components: { schemas: Record<string, Schema> } }
  const { schemas } = document.components
  const rules: Rule[] = []
  const visit = (schema: Schema, path: string, required: boolean, nullable = schema.nullable ?? false): void => {
    const { $ref, allOf = [] } = schema
    if ($ref !== undefined) return visit(schemas[$ref.split('/').at(-1) ?? ''] ?? {}, path, required, nullable)
    if (schema.type !== undefined && path !== '') {
      rules.push({ path, type: schema.type, ...required ? { required, nullable } : {} })
    }
    for (const part of allOf) visit(part, path, required, nullable)
    for (const [key, property] of Object.entries(schema.properties ?? {})) {
      visit(property, path === '' ? key : `${path}.${key}`, schema.required?.includes(key) ?? false)
    }
    if (schema.items !== undefined) visit(schema.items, `${path}[]`, false)
  }
  visit({ $ref: name }, '', false)
  return rules
}
