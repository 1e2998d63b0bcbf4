import { invalid } from './errors.js'
import { isObject } from './json.js'
import type { JsonObject } from './json.js'
import { merge } from './merge.js'
import { dropPlainScripts } from './scripts.js'
import { changed, strangers, violations } from './validation.js'
import type { Rule, Violation } from './validation.js'
import { newId } from './world.js'
import type { Resource } from './world.js'

/** What tells a group from a managed instance where both are created, changed and shown alike. */
export interface Noun {
  /** The key that wraps it in a request, and the first segment of `field` in an error. */
  envelope: string
  idPrefix: string
  rules: Rule[]
  immutable: string[]
  /** What fields must agree on, once a PUT is merged into the stored content. */
  conflicts: (merged: JsonObject, sent: JsonObject, creating: boolean) => Violation[]
  /** Brings the machines in line with the content, after create and update. */
  settle: (resource: Resource, now: number) => void
}

const READ_ONLY = ['id', 'createdAt', 'updatedAt']

/**
 * Adds what `body` describes to `shelf`, exactly as it was sent, under a fresh id.
 * @throws SandboxError 400 naming everything that is wrong with the body
 */
export function create (noun: Noun, shelf: Map<string, Resource>, body: unknown, now: number): Resource {
  const sent = open(noun, body)
  const content = dropPlainScripts(sent)
  refuse(allOf(check(noun, sent, true), noun.conflicts(content, sent, true)))
  let id = newId(noun.idPrefix)
  while (shelf.has(id)) id = newId(noun.idPrefix)
  const resource: Resource = { id, createdAt: now, updatedAt: now, content, machines: [] }
  noun.settle(resource, now)
  shelf.set(id, resource)
  return resource
}

/**
 * Merges `body` into `resource`.
 * @throws SandboxError 400 naming everything that is wrong with the body; nothing is changed then
 */
export function update (noun: Noun, resource: Resource, body: unknown, now: number): Resource {
  const sent = open(noun, body)
  const merged = merge(resource.content, dropPlainScripts(sent))
  const fixed = changed(noun.immutable, resource.content, merged, noun.envelope)
  refuse(allOf(check(noun, sent, false), [...fixed, ...noun.conflicts(merged, sent, false)]))
  resource.content = merged
  resource.updatedAt = now
  noun.settle(resource, now)
  return resource
}

/** The resource as the vendor answers it: one flat object. */
export function flat (resource: Resource): JsonObject {
  return { id: resource.id, ...resource.content, ...dates(resource) }
}

/** The resource as the vendor lists managed instances: its content under `config`. */
export function wrapped (resource: Resource): JsonObject {
  return { id: resource.id, ...dates(resource), config: resource.content }
}

function dates (resource: Resource): { createdAt: string, updatedAt: string } {
  return {
    createdAt: new Date(resource.createdAt).toISOString(),
    updatedAt: new Date(resource.updatedAt).toISOString()
  }
}

function open (noun: Noun, body: unknown): JsonObject {
  const { envelope } = noun
  const sent = isObject(body) ? body[envelope] : undefined
  if (sent === undefined) throw invalid([{ message: `"${envelope}" is required`, field: envelope }])
  if (!isObject(sent)) throw invalid([{ message: `"${envelope}" must be an object`, field: envelope }])
  refuse(strangers(body as JsonObject, [envelope]))
  return sent
}

function check (noun: Noun, sent: JsonObject, creating: boolean): Violation[] {
  const readOnly = READ_ONLY.filter((key) => Object.hasOwn(sent, key))
    .map((key) => ({ message: `"${key}" is not allowed`, field: `${noun.envelope}.${key}` }))
  return [...readOnly, ...violations(noun.rules, sent, noun.envelope, creating)]
}

/** Both, but no comparison of a field that is wrong in itself. */
function allOf (wrong: Violation[], disagreeing: Violation[]): Violation[] {
  const fields = new Set(wrong.map(({ field }) => field))
  return [...wrong, ...disagreeing.filter(({ field }) => !fields.has(field))]
}

function refuse (found: Violation[]): void {
  if (found.length > 0) throw invalid(found)
}
