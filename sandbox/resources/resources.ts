import { newId } from '../ids.js'
import { wanted } from '../machines/machines.js'
import { invalid } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import type { JsonObject } from '../protocol/json.js'
import { changed, strangers, violations } from '../protocol/validation.js'
import type { Rule, Violation } from '../protocol/validation.js'
import type { Account } from '../world.js'
import { merge } from './merge.js'
import type { Resource } from './resource.js'
import { dropPlainScripts } from './scripts.js'

/** What tells a group from a managed instance where both are created, changed and shown alike. */
export interface Noun<R extends Resource> {
  /** The key that wraps it in a request, and the first segment of `field` in an error. */
  envelope: string
  idPrefix: string
  rules: Rule[]
  immutable: string[]
  /** What fields must agree on, once a PUT is merged into the stored content. */
  conflicts: (merged: JsonObject, sent: JsonObject, creating: boolean) => Violation[]
  /** Where an account keeps them. */
  shelf: (account: Account) => Map<string, R>
  /** Makes one of a resource that has no more than what both have. */
  raise: (resource: Resource) => R
  /** Brings the machines in line with the content, and takes note, after it was created. */
  born: (resource: R, now: number) => void
  /** The same after it was updated. */
  altered: (resource: R, now: number, options: UpdateOptions) => void
}

/** What the query of an update asks for besides. */
export interface UpdateOptions {
  /** Instances get new tags without being replaced. Nothing shows them here: it is only noted. */
  autoApplyTags?: boolean
  /** More capacity resumes paused stateful instances before new ones are made. */
  shouldResumeStateful?: boolean
}

const READ_ONLY = ['id', 'createdAt', 'updatedAt']

/**
 * Adds what `body` describes to an account, exactly as it was sent, under a fresh id.
 * @throws SandboxError 400 naming everything that is wrong with the body
 */
export function create<R extends Resource> (noun: Noun<R>, account: Account, body: unknown, now: number): R {
  const sent = open(noun, body)
  const content = dropPlainScripts(sent)
  refuse(allOf(check(noun, sent, true), noun.conflicts(content, sent, true)))
  const shelf = noun.shelf(account)
  let id = newId(noun.idPrefix)
  while (shelf.has(id)) id = newId(noun.idPrefix)
  return add(noun, account, id, content, now)
}

/** Adds a resource without looking at its content. */
export function add<R extends Resource> (
  noun: Noun<R>, account: Account, id: string, content: JsonObject, now: number
): R {
  const { agenda } = account
  const resource = noun.raise({ id, createdAt: now, updatedAt: now, content, machines: [], agenda })
  noun.shelf(account).set(id, resource)
  noun.born(resource, now)
  return resource
}

/**
 * Merges `body` into `resource`.
 * @throws SandboxError 400 naming everything that is wrong with the body; nothing is changed then
 */
export function update<R extends Resource> (
  noun: Noun<R>, resource: R, body: unknown, now: number, options: UpdateOptions = {}
): R {
  const sent = open(noun, body)
  const merged = merge(resource.content, dropPlainScripts(sent))
  const fixed = changed(noun.immutable, resource.content, merged, noun.envelope)
  refuse(allOf(check(noun, sent, false), [...fixed, ...noun.conflicts(merged, sent, false)]))
  resource.content = merged
  resource.updatedAt = now
  noun.altered(resource, now, options)
  return resource
}

/** Takes a resource away from its account, and its machines with it. */
export function remove<R extends Resource> (noun: Noun<R>, account: Account, resource: R, now: number): void {
  noun.shelf(account).delete(resource.id)
  resource.deletedAt = now
  for (const machine of wanted(resource)) machine.endedAt = now
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

type Named = Pick<Noun<Resource>, 'envelope' | 'rules'>

function open (noun: Named, body: unknown): JsonObject {
  const { envelope } = noun
  const sent = isObject(body) ? body[envelope] : undefined
  if (sent === undefined) throw invalid([{ message: `"${envelope}" is required`, field: envelope }])
  if (!isObject(sent)) throw invalid([{ message: `"${envelope}" must be an object`, field: envelope }])
  refuse(strangers(body as JsonObject, [envelope]))
  return sent
}

function check (noun: Named, sent: JsonObject, creating: boolean): Violation[] {
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
