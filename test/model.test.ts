import { deepStrictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { start, type Gateway, type Reply } from './helper.js'

/* Random sequences of calls against gateway and sandbox, beside a model that is no more than a Map. */

type Resource = Record<string, unknown>
/** Resources by position of their creation; null once deleted. */
interface Model { resources: ({ id: string, body: Resource } | null)[] }
interface Real { gateway: Gateway, list: string, create: Resource }
type Command = fc.AsyncCommand<Model, Real>

const isObject = (value: unknown): value is Resource =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What an update means: missing keys stay, null and arrays replace, objects merge. */
function merge (whole: Resource, changes: Resource): Resource {
  const merged = Object.entries(changes).map(([key, value]) => {
    const old = whole[key]
    return [key, isObject(value) && isObject(old) ? merge(old, value) : value]
  })
  return { ...whole, ...Object.fromEntries(merged) }
}

/** What Spot stored, without what it adds itself. */
function stored ({ json }: Reply): Resource {
  const { id, createdAt, updatedAt, ...rest } = json
  return rest
}

/** One of the resources there ever were, or an id there never was. */
function pick (model: Model, index: number) {
  const at = index % (model.resources.length + 1)
  return { at, resource: model.resources[at] ?? undefined, id: ids.get(model)?.[at] ?? 'x-00000000' }
}

/** Ids are kept when a resource is deleted, so that the deleted are asked for as well. */
const ids = new WeakMap<Model, string[]>()

class Create implements Command {
  constructor (readonly extra: Resource) {}
  check = () => true
  async run (model: Model, { gateway, list, create }: Real) {
    const body = merge(create, this.extra)
    const reply = await gateway.request('POST', list, { body })
    deepStrictEqual([reply.status, stored(reply)], [201, body])
    model.resources.push({ id: reply.json.id, body })
    ids.set(model, [...ids.get(model) ?? [], reply.json.id])
  }

  toString = () => `create(${JSON.stringify(this.extra)})`
}

class Update implements Command {
  constructor (readonly index: number, readonly changes: Resource) {}
  check = () => true
  async run (model: Model, { gateway, list }: Real) {
    const { resource, id } = pick(model, this.index)
    const reply = await gateway.request('PUT', `${list}/${id}`, { body: { ...this.changes, id: 'sig-ignored0' } })
    if (!resource) return deepStrictEqual(reply.status, 404)
    resource.body = merge(resource.body, this.changes)
    deepStrictEqual([reply.status, stored(reply)], [200, resource.body])
  }

  toString = () => `update(${this.index}, ${JSON.stringify(this.changes)})`
}

class Show implements Command {
  constructor (readonly index: number) {}
  check = () => true
  async run (model: Model, { gateway, list }: Real) {
    const { resource, id } = pick(model, this.index)
    const reply = await gateway.request('GET', `${list}/${id}`)
    if (!resource) return deepStrictEqual(reply.status, 404)
    deepStrictEqual([reply.status, reply.json.id, stored(reply)], [200, resource.id, resource.body])
  }

  toString = () => `show(${this.index})`
}

class Ask implements Command {
  constructor (readonly index: number, readonly about: string) {}
  check = () => true
  async run (model: Model, { gateway, list }: Real) {
    const { resource, id } = pick(model, this.index)
    const { status } = await gateway.request('GET', `${list}/${id}/${this.about}`)
    deepStrictEqual(status, resource ? 200 : 404)
  }

  toString = () => `${this.about}(${this.index})`
}

class Delete implements Command {
  constructor (readonly index: number) {}
  check = () => true
  async run (model: Model, { gateway, list }: Real) {
    const { at, resource, id } = pick(model, this.index)
    const { status } = await gateway.request('DELETE', `${list}/${id}`)
    deepStrictEqual(status, resource ? 204 : 404)
    if (resource) model.resources[at] = null
  }

  toString = () => `delete(${this.index})`
}

class List implements Command {
  check = () => true
  async run (model: Model, { gateway, list }: Real) {
    const { json } = await gateway.request('GET', list)
    const shown = (json as { id: string }[]).map(({ id }) => id)
    const there = model.resources.flatMap((resource) => resource ? [resource.id] : [])
    deepStrictEqual(shown.toSorted(), there.toSorted())
  }

  toString = () => 'list'
}

const index = fc.nat({ max: 4 })
const value = fc.constantFrom(null, '', 'text', 0, 1, false, [], [null], {}, { deep: null }, { deep: [1] })
const changes = fc.dictionary(fc.constantFrom('xOne', 'xTwo', 'xThree'), fc.oneof(value, fc.dictionary(
  fc.constantFrom('xOne', 'deep'), value, { maxKeys: 2, noNullPrototype: true }
)), { maxKeys: 3, noNullPrototype: true })

const commands = fc.commands([
  changes.map((extra) => new Create(extra)),
  fc.tuple(index, changes).map(([at, changes]) => new Update(at, changes)),
  index.map((at) => new Show(at)),
  fc.tuple(index, fc.constantFrom('status', 'costs', 'readiness')).map(([at, about]) => new Ask(at, about)),
  index.map((at) => new Delete(at)),
  fc.constant(new List())
], { maxCommands: 12 })

const SEQUENCES = Number(process.env.SEQUENCES ?? (process.env.CHAOS === 'full' ? 1000 : 40))

for (const { list, create } of [
  {
    list: '/v1/spot/demo/elastigroups',
    create: { name: 'model', strategy: {}, capacity: { minimum: 0, target: 0, maximum: 1 }, compute: {} }
  },
  {
    list: '/v1/spot/demo/instances',
    create: { name: 'model', region: 'us-east-1', compute: { subnetIds: ['subnet-1'], vpcId: 'vpc-1' } }
  }
]) {
  t.test(`${list}: in any order of calls no update is lost, and no deleted resource is shown`, async (t) => {
    const gateway = await start(t, { sandbox: { seed: false, rateLimit: Infinity } })
    let sequences = 0
    await fc.assert(fc.asyncProperty(commands, async (commands) => {
      sequences++
      const model: Model = { resources: [] }
      await fc.asyncModelRun(() => ({ model, real: { gateway, list, create } }), commands)
      for (const resource of model.resources) if (resource) await gateway.request('DELETE', `${list}/${resource.id}`)
    }), { numRuns: SEQUENCES })
    t.ok(sequences >= SEQUENCES, `${sequences} sequences`)
  })
}
