import { deepStrictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import type { ProblemError } from '../services/problems/index.js'
import { judge, needsPresent, type Guardrails, type Reader } from '../services/guardrails/index.js'
import { ACCOUNT } from './helper.js'

/*
 * The oracle knows nothing of how bodies are judged: it takes a body that is legal by construction, and changes one
 * thing that is known to be harmless, or known to be a breach at a place that it names.
 */

export type Json = Record<string, unknown>
export type Noun = 'elastigroup' | 'managedInstance'

/** A value put at a place, where it breaches; `at` is where the error says so, if elsewhere. */
export interface Mutation { path: string, value: unknown, breaches: boolean, at?: string }

export const RUNS = { numRuns: process.env.CHAOS === 'full' ? 5000 : 120 }
export const ID = { elastigroup: 'sig-00000001', managedInstance: 'smi-00000001' }
export const OPERATION = {
  elastigroup: { create: 'createElastigroup', update: 'updateElastigroup' },
  managedInstance: { create: 'createInstance', update: 'updateInstance' }
}

/** What an operation is about, by its name. */
export const nounOf = (operation: string): Noun =>
  /group|Roll|detach|Stateful/.test(operation) ? 'elastigroup' : 'managedInstance'

/** A copy with a value at a dotted path; undefined takes away what is there. Numbers are places in arrays. */
export function put (whole: unknown, path: string, value: unknown): Json {
  const copy = structuredClone(whole) as Json
  const steps = path.split('.')
  const last = steps.pop() as string
  let here: any = copy
  for (const [i, step] of steps.entries()) here = here[step] ??= /^\d+$/.test(steps[i + 1] ?? last) ? [] : {}
  if (value === undefined) delete here[last]
  else here[last] = value
  return copy
}

/** No more of a body than what has the path, as an update sends it: arrays whole. */
export function part (whole: any, path: string): Json {
  const [step, ...rest] = path.split('.') as [string, ...string[]]
  const inside = whole?.[step]
  const deeper = rest.length > 0 && typeof inside === 'object' && inside !== null && !Array.isArray(inside)
  return { [step]: deeper ? part(inside, rest.join('.')) : inside ?? null }
}

export function freeze<T> (value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze)
  return value
}

/** An account that holds these, and counts what is asked of it. */
export function account (...held: Json[]): Reader & { calls: string[] } {
  const calls: string[] = []
  const noun = (name: string) => ({
    async get (id: string) {
      calls.push(`${name} ${id}`)
      const found = held.find((resource) => resource.id === id)
      if (!found) throw new Error(`no ${id}`)
      return freeze(structuredClone(found))
    },
    async list () {
      calls.push(`${name} list`)
      return freeze(structuredClone(held))
    }
  })
  return { calls, elastigroups: noun('elastigroup'), managedInstances: noun('managedInstance') } as never
}

/** What the rules find in one request about a resource that is as given. */
export async function ask (
  operationId: string, rules: Guardrails | Guardrails[],
  { noun = 'elastigroup', present = {}, body, query = {}, accountRegion }: {
    noun?: Noun, present?: Json, body?: unknown, query?: Json, accountRegion?: string
  } = {}
): Promise<ProblemError[]> {
  const params = { account: ACCOUNT, elastigroup: ID.elastigroup, instance: ID.managedInstance }
  const spot = account({ ...present, id: ID[noun] })
  const sent = freeze(structuredClone(body))
  const attempt = { operationId, params, query, body: sent, accountRegion, rules: [rules].flat() }
  const errors = await judge({ ...attempt, spot })
  deepStrictEqual(spot.calls.length > 0, needsPresent(attempt), `${operationId} reads what stands when it says so`)
  return errors
}

/** Where it breaches, and which rule. */
export const places = (errors: ProblemError[]) =>
  errors.map(({ pointer, parameter, code }) => `${code} ${pointer ?? parameter}`)

export const forms = fc.constantFrom('create', 'update', 'standing')
export const nouns = fc.constantFrom<Noun>('elastigroup', 'managedInstance')

/** Judges a legal body with one change in it: sent by a create, sent by an update, or as it stands below an update. */
export async function check (
  rule: keyof Guardrails, rules: Guardrails, noun: Noun, form: string, legal: Json,
  { path, value, breaches, at = path }: Mutation, accountRegion?: string
) {
  const mutated = put(legal, path, value)
  const errors = form === 'create'
    ? await ask(OPERATION[noun].create, rules, { noun, body: mutated, accountRegion })
    : form === 'update'
      ? await ask(OPERATION[noun].update, rules, { noun, present: legal, body: part(mutated, path), accountRegion })
      : await ask(OPERATION[noun].update, rules, { noun, present: mutated, body: { name: 'renamed' }, accountRegion })
  const pointers = breaches ? [`#/${at.replaceAll('.', '/')}`] : []
  // An update that sends null for what is to be set has the null in its body, or above it.
  const found = places(errors).map((place) => place.split(' ')[1] as string)
  const isRight = (pointer: string, i: number) => pointer === found[i] ||
    (form === 'update' && value === undefined && pointer.startsWith(`${found[i]}/`))
  const what = `${form} ${path} = ${JSON.stringify(value)} under ${JSON.stringify(rules)}: ${JSON.stringify(errors)}`
  deepStrictEqual([found.length, pointers.every(isRight)], [pointers.length, true], what)
  for (const error of errors) {
    deepStrictEqual(error.code, rule, what)
    deepStrictEqual(error.message.includes('(it is so now)'), form === 'standing', what)
  }
}

export const some = <T>(values: readonly T[]) => fc.constantFrom(...values)
export const mutations = (breaches: boolean) => (path: string, ...values: unknown[]) =>
  values.map((value): Mutation => ({ path, value, breaches }))
export const fine = mutations(false)
export const bad = mutations(true)
export const noise = fc.dictionary(fc.constantFrom('xOne', 'description', 'multai'), fc.jsonValue({ maxDepth: 2 }), {
  maxKeys: 2, noNullPrototype: true
})
