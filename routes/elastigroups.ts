import type { Handlers } from '../openapi/handlers.js'
import { pathOf } from '../openapi/paths.js'
import type { components } from '../openapi/types.js'
import { withOrganizationTag } from '../services/resources/additions.js'
import { filterOf } from '../services/resources/filters.js'
import { withGuardrailTags } from '../services/guardrails/index.js'
import { byMarker, withMarker, type Finder } from '../services/idempotency/index.js'
import { withoutPasswords } from '../services/masking/index.js'
import { defaultStart, momentOf, rangeOf } from '../services/resources/moments.js'
import { pageOf } from '../services/resources/pages.js'
import { retryAfterOfElastigroup, readinessOfElastigroup } from '../services/resources/readiness.js'
import { explainRollConflict } from '../services/spot/roll-conflict.js'
import { deallocationOf } from '../services/spot/operations/deallocation.js'
import { summaryOfElastigroup } from '../services/resources/summaries.js'
import { inTurns } from '../services/event-loop/yield.js'

type Elastigroup = components['schemas']['Elastigroup']

const createdReply = (account: string, group: Elastigroup) => ({
  status: 201,
  headers: { Location: pathOf('getElastigroup', { account, elastigroup: String(group.id) }) },
  body: group
} as const)

/** The groups that were created with an Idempotency-Key. */
export const markedElastigroups: Finder = async ({ name, elastigroups }) =>
  byMarker(await elastigroups.list(), (group) => createdReply(name, group))

export const elastigroups = {
  async listElastigroups ({ account, query, url }) {
    const passes = filterOf(query, withoutPasswords)
    const groups = await account.elastigroups.list()
    const found = await inTurns(groups, (slice) => slice.map(summaryOfElastigroup).filter(passes))
    const { items, headers } = pageOf(found.flat(), query, url)
    return { status: 200, headers, body: items }
  },

  async createElastigroup (request) {
    const { server: { configuration: { organizationTag } }, account, body, rules } = request
    const tagged = withOrganizationTag(withGuardrailTags(body, rules), organizationTag)
    return request.once(async (marker) =>
      createdReply(account.name, await account.elastigroups.create(withMarker(tagged, marker))))
  },

  async getElastigroup ({ account, params }) {
    return { status: 200, body: await account.elastigroups.get(params.elastigroup) }
  },

  // Callers send back what they have read, but Spot refuses what it sets itself.
  async updateElastigroup ({ account, params, query, body: { id, createdAt, updatedAt, ...changes } }) {
    const update = () => account.elastigroups.update(params.elastigroup, changes, query)
    return { status: 200, body: await explainRollConflict(account, params, update) }
  },

  async deleteElastigroup ({ account, params, query }) {
    const { shouldDeleteBackupImages } = query
    await account.elastigroups.delete(params.elastigroup, deallocationOf(query), shouldDeleteBackupImages)
    return { status: 204 }
  },

  async getElastigroupStatus ({ account, params }) {
    return { status: 200, body: await account.elastigroups.status(params.elastigroup) }
  },

  async getElastigroupReadiness ({ account, params: { elastigroup } }) {
    const { elastigroups } = account
    const [group, rows] = await Promise.all([elastigroups.get(elastigroup), elastigroups.status(elastigroup)])
    const readiness = readinessOfElastigroup(group, rows)
    return { status: 200, headers: retryAfterOfElastigroup(readiness, group, rows), body: readiness }
  },

  async getElastigroupHealth ({ account, params }) {
    return { status: 200, body: await account.elastigroups.health(params.elastigroup) }
  },

  async getElastigroupCosts ({ account, params, query }) {
    return { status: 200, body: await account.elastigroups.costs(params.elastigroup, rangeOf(query)) }
  },

  async getElastigroupDetailedCosts ({ account, params, query }) {
    return { status: 200, body: await account.elastigroups.detailedCosts(params.elastigroup, rangeOf(query)) }
  },

  async listElastigroupEvents ({ account, params, query: { start } }) {
    const from = start === undefined ? defaultStart() : momentOf(start, 'start')
    return { status: 200, body: await account.elastigroups.events(params.elastigroup, from) }
  },

  async listElastigroupLogs ({ account, params, query }) {
    return { status: 200, body: await account.elastigroups.logs(params.elastigroup, rangeOf(query), query) }
  }
} satisfies Partial<Handlers>
