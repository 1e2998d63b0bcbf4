import type { JsonPath } from '../problems/pointer.js'
import { maskOf } from './secrets.js'

/** @param mask what replaces the leaf if it is a string or a number, because it is a secret */
type Visit = (leaf: unknown, path: JsonPath, mask: string | undefined) => void

/**
 * Visits the leaves of a JSON value in order; empty objects and arrays are leaves, too.
 *
 * @param at where the value is in the whole
 */
export function visitLeaves (value: unknown, visit: Visit, at: JsonPath = []): void {
  // One array for all paths: a body may have half a million leaves, and few of their paths are needed.
  const path = [...at]

  function look (value: unknown, mask: string | undefined): void {
    if (typeof value !== 'object' || value === null) return visit(value, path, mask)
    if (Array.isArray(value)) {
      if (value.length === 0) return visit(value, path, mask)
      for (const [index, item] of value.entries()) step(index, item, mask)
      return
    }
    const names = Object.keys(value)
    if (names.length === 0) return visit(value, path, mask)
    for (const name of names) step(name, (value as Record<string, unknown>)[name], mask ?? maskOf(name))
  }

  function step (to: string | number, value: unknown, mask: string | undefined): void {
    path.push(to)
    look(value, mask)
    path.pop()
  }

  look(value, at.map((step) => maskOf(String(step))).find((mask) => mask !== undefined))
}
