import type { Handlers } from '../openapi/handlers.js'
import { withOrganizationTag } from '../services/additions.js'
import { filterOf } from '../services/filters.js'
import { defaultStart, momentOf, rangeOf } from '../services/moments.js'
import { askAgain, readinessOfElastigroup } from '../services/readiness.js'
import { namingTheRoll } from '../services/roll-conflict.js'
import { EVERYTHING } from '../services/spotinst/deallocation.js'
import { summaryOfElastigroup } from '../services/summaries.js'

/** Path of a group on this server. */
export const groupPath = ({ account, elastigroup }: { account: string, elastigroup: string }) =>
  `/v1/spot/${account}/elastigroups/${elastigroup}`

export const elastigroups = {
  async listElastigroups ({ server, params, query }) {
    const passes = filterOf(query)
    const groups = await server.spotinst.account(params.account).elastigroups.list()
    return { status: 200, body: groups.map(summaryOfElastigroup).filter(passes) }
  },

  async createElastigroup ({ server, params: { account }, body }) {
    const { elastigroups } = server.spotinst.account(account)
    const group = await elastigroups.create(withOrganizationTag(body, server.configuration.organization))
    return { status: 201, headers: { Location: groupPath({ account, elastigroup: String(group.id) }) }, body: group }
  },

  async getElastigroup ({ server, params }) {
    const { elastigroups } = server.spotinst.account(params.account)
    return { status: 200, body: await elastigroups.get(params.elastigroup) }
  },

  async updateElastigroup ({ server, params, query, body: { id, ...changes } }) {
    const { elastigroups, rolls } = server.spotinst.account(params.account)
    const update = () => elastigroups.update(params.elastigroup, changes, query)
    return { status: 200, body: await namingTheRoll(groupPath(params), () => rolls.list(params.elastigroup), update) }
  },

  async deleteElastigroup ({ server, params, query: { shouldDeleteBackupImages, ...switches } }) {
    const { elastigroups } = server.spotinst.account(params.account)
    await elastigroups.delete(params.elastigroup, { ...EVERYTHING, ...switches }, shouldDeleteBackupImages)
    return { status: 204 }
  },

  async getElastigroupStatus ({ server, params }) {
    const { elastigroups } = server.spotinst.account(params.account)
    return { status: 200, body: await elastigroups.status(params.elastigroup) }
  },

  async getElastigroupReadiness ({ server, params: { account, elastigroup } }) {
    const { elastigroups } = server.spotinst.account(account)
    const [group, rows] = await Promise.all([elastigroups.get(elastigroup), elastigroups.status(elastigroup)])
    const readiness = readinessOfElastigroup(group, rows)
    return { status: 200, headers: askAgain(readiness), body: readiness }
  },

  async getElastigroupHealth ({ server, params }) {
    const { elastigroups } = server.spotinst.account(params.account)
    return { status: 200, body: await elastigroups.health(params.elastigroup) }
  },

  async getElastigroupCosts ({ server, params, query }) {
    const { elastigroups } = server.spotinst.account(params.account)
    return { status: 200, body: await elastigroups.costs(params.elastigroup, rangeOf(query)) }
  },

  async getElastigroupDetailedCosts ({ server, params, query }) {
    const { elastigroups } = server.spotinst.account(params.account)
    return { status: 200, body: await elastigroups.detailedCosts(params.elastigroup, rangeOf(query)) }
  },

  async listElastigroupEvents ({ server, params, query: { start } }) {
    const { elastigroups } = server.spotinst.account(params.account)
    const from = start === undefined ? defaultStart() : momentOf(start, 'start')
    return { status: 200, body: await elastigroups.events(params.elastigroup, from) }
  },

  async listElastigroupLogs ({ server, params, query }) {
    const { elastigroups } = server.spotinst.account(params.account)
    return { status: 200, body: await elastigroups.logs(params.elastigroup, rangeOf(query), query) }
  }
} satisfies Partial<Handlers>
