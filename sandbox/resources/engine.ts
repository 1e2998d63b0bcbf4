import { newId } from '../ids.js'
import { activeMachines } from '../machines/engine.js'
import { invalid } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import type { JsonObject } from '../protocol/json.js'
import { changed, converted, unknownKeys, violations } from '../protocol/validation.js'
import type { Rule, Violation } from '../protocol/validation.js'
import type { Account } from '../world.js'
import { merge } from './merge.js'
import type { Resource } from './model.js'
import { dropPlainScripts } from './scripts.js'

/** How a group or a managed instance is created, changed and shown. */
export interface Noun<R extends Resource> {
  /** The key that wraps it in a request; `field` of an error begins with it. */
  envelope: string
  idPrefix: string
  rules: () => Rule[]
  immutable: string[]
  /** Contradictions between fields, after a PUT is merged into the stored content. */
  conflicts: (merged: JsonObject, sent: JsonObject, creating: boolean) => Violation[]
  /** Where an account keeps them. */
  storage: (account: Account) => Map<string, R>
  /** Adds what only this noun has. */
  extend: (resource: Resource) => R
  /** Launches the machines and writes the journal. */
  afterCreate: (resource: R, now: number) => void
  /** The same after an update. */
  afterUpdate: (resource: R, now: number, options: UpdateOptions) => void
}

/** Options in the query of an update. */
export interface UpdateOptions {
  /** Applies new tags without replacing instances. Shown only in the log. */
  autoApplyTags?: boolean
  /** Resumes paused stateful instances before new ones are added. */
  shouldResumeStateful?: boolean
}

const READ_ONLY = ['id', 'createdAt', 'updatedAt']

/**
 * Adds what `body` describes to an account, unchanged, under a new id.
 * @throws SandboxError 400 naming everything that is wrong with the body
 */
export function create<R extends Resource> (noun: Noun<R>, account: Account, body: unknown, now: number): R {
  const sent = unwrap(noun, body)
  const content = dropPlainScripts(sent)
  throwIfAny(combine(check(noun, sent, true), noun.conflicts(content, sent, true)))
  const storage = noun.storage(account)
  let id = newId(noun.idPrefix)
  while (storage.has(id)) id = newId(noun.idPrefix)
  return add(noun, account, id, content, now)
}

/** Adds a resource without looking at its content. */
export function add<R extends Resource> (
  noun: Noun<R>, account: Account, id: string, content: JsonObject, now: number
): R {
  const { agenda } = account
  const resource = noun.extend({ id, createdAt: now, updatedAt: now, content, machines: [], agenda })
  noun.storage(account).set(id, resource)
  noun.afterCreate(resource, now)
  return resource
}

/**
 * Merges `body` into `resource`.
 * @throws SandboxError 400 naming everything that is wrong with the body; nothing is changed then
 */
export function update<R extends Resource> (
  noun: Noun<R>, resource: R, body: unknown, now: number, options: UpdateOptions = {}
): R {
  const sent = unwrap(noun, body)
  const merged = merge(resource.content, dropPlainScripts(sent))
  const fixed = changed(noun.immutable, resource.content, merged, noun.envelope)
  throwIfAny(combine(check(noun, sent, false), [...fixed, ...noun.conflicts(merged, sent, false)]))
  resource.content = merged
  resource.updatedAt = now
  noun.afterUpdate(resource, now, options)
  return resource
}

/** Removes a resource from its account and ends its machines. */
export function remove<R extends Resource> (noun: Noun<R>, account: Account, resource: R, now: number): void {
  noun.storage(account).delete(resource.id)
  resource.deletedAt = now
  for (const machine of activeMachines(resource)) machine.endedAt = now
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

type Checked = Pick<Noun<Resource>, 'envelope' | 'rules'>

function unwrap (noun: Checked, body: unknown): JsonObject {
  const { envelope } = noun
  const sent = isObject(body) ? body[envelope] : undefined
  if (sent === undefined) throw invalid([{ message: `"${envelope}" is required`, field: envelope }])
  if (!isObject(sent)) throw invalid([{ message: `"${envelope}" must be an object`, field: envelope }])
  throwIfAny(unknownKeys(body as JsonObject, [envelope]))
  return converted(noun.rules(), sent)
}

function check (noun: Checked, sent: JsonObject, creating: boolean): Violation[] {
  const readOnly = READ_ONLY.filter((key) => Object.hasOwn(sent, key))
    .map((key) => ({ message: `"${key}" is not allowed`, field: `${noun.envelope}.${key}` }))
  return [...readOnly, ...violations(noun.rules(), sent, noun.envelope, creating)]
}

/** Both, but no contradiction of a field that is invalid by itself. */
function combine (wrong: Violation[], disagreeing: Violation[]): Violation[] {
  const fields = new Set(wrong.map(({ field }) => field))
  return [...wrong, ...disagreeing.filter(({ field }) => !fields.has(field))]
}

function throwIfAny (found: Violation[]): void {
  if (found.length > 0) throw invalid(found)
}
