import type { Handlers } from '../openapi/handlers.js'
import type { components } from '../openapi/types.js'
import { byMarker, withTags } from '../services/additions.js'
import { filterOf } from '../services/filters.js'
import { withGuardrailTags } from '../services/guardrails/index.js'
import type { Finder } from '../services/idempotency/index.js'
import { defaultStart, momentOf, rangeOf } from '../services/moments.js'
import { askAgain, readinessOfElastigroup } from '../services/readiness.js'
import { namingTheRoll } from '../services/roll-conflict.js'
import { EVERYTHING } from '../services/spotinst/deallocation.js'
import { summaryOfElastigroup } from '../services/summaries.js'
import { inTurns } from '../services/turns.js'

type Elastigroup = components['schemas']['Elastigroup']

/** Path of a group on this server. */
export const groupPath = ({ account, elastigroup }: { account: string, elastigroup: string }) =>
  `/v1/spot/${account}/elastigroups/${elastigroup}`

const created = (account: string, group: Elastigroup) => ({
  status: 201,
  headers: { Location: groupPath({ account, elastigroup: String(group.id) }) },
  body: group
} as const)

/** The groups that were created with an Idempotency-Key. */
export const markedElastigroups: Finder = async ({ name, elastigroups }) =>
  byMarker(await elastigroups.list(), (group) => created(name, group))

export const elastigroups = {
  async listElastigroups ({ spot, query }) {
    const passes = filterOf(query)
    const groups = await spot.elastigroups.list()
    const found = await inTurns(groups, (some) => some.map(summaryOfElastigroup).filter(passes))
    return { status: 200, body: found.flat() }
  },

  createElastigroup: (request) => request.once(async (marker) => {
    const { server: { configuration: { organization } }, spot, body, rules } = request
    const tagged = withTags(withGuardrailTags(body, rules), { organization, marker })
    return created(spot.name, await spot.elastigroups.create(tagged))
  }),

  async getElastigroup ({ spot, params }) {
    return { status: 200, body: await spot.elastigroups.get(params.elastigroup) }
  },

  async updateElastigroup ({ spot, params, query, body: { id, ...changes } }) {
    const { elastigroups, rolls } = spot
    const update = () => elastigroups.update(params.elastigroup, changes, query)
    return { status: 200, body: await namingTheRoll(groupPath(params), () => rolls.list(params.elastigroup), update) }
  },

  async deleteElastigroup ({ spot, params, query: { dryRun, shouldDeleteBackupImages, ...switches } }) {
    await spot.elastigroups.delete(params.elastigroup, { ...EVERYTHING, ...switches }, shouldDeleteBackupImages)
    return { status: 204 }
  },

  async getElastigroupStatus ({ spot, params }) {
    return { status: 200, body: await spot.elastigroups.status(params.elastigroup) }
  },

  async getElastigroupReadiness ({ spot, params: { elastigroup } }) {
    const [group, rows] = await Promise.all([spot.elastigroups.get(elastigroup), spot.elastigroups.status(elastigroup)])
    const readiness = readinessOfElastigroup(group, rows)
    return { status: 200, headers: askAgain(readiness), body: readiness }
  },

  async getElastigroupHealth ({ spot, params }) {
    return { status: 200, body: await spot.elastigroups.health(params.elastigroup) }
  },

  async getElastigroupCosts ({ spot, params, query }) {
    return { status: 200, body: await spot.elastigroups.costs(params.elastigroup, rangeOf(query)) }
  },

  async getElastigroupDetailedCosts ({ spot, params, query }) {
    return { status: 200, body: await spot.elastigroups.detailedCosts(params.elastigroup, rangeOf(query)) }
  },

  async listElastigroupEvents ({ spot, params, query: { start } }) {
    const from = start === undefined ? defaultStart() : momentOf(start, 'start')
    return { status: 200, body: await spot.elastigroups.events(params.elastigroup, from) }
  },

  async listElastigroupLogs ({ spot, params, query }) {
    return { status: 200, body: await spot.elastigroups.logs(params.elastigroup, rangeOf(query), query) }
  }
} satisfies Partial<Handlers>
