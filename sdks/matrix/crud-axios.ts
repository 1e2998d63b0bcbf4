import { Configuration, ElastigroupsApi } from './index'

const { SPOT_API_URL: basePath, SPOT_API_TOKEN: apiKey, SPOT_API_ACCOUNT: account = '', GROUP = '' } = process.env

async function main () {
  const groups = new ElastigroupsApi(new Configuration({ basePath, apiKey }))
  const { data: { id } } = await groups.createElastigroup(account, JSON.parse(GROUP))
  const { data: { name } } = await groups.getElastigroup(account, id as string)
  await groups.updateElastigroup(account, id as string, { description: null })
  const { data: list } = await groups.listElastigroups(account, name as string)
  if (list.length !== 1) throw new Error('the list has not one group')
  await groups.deleteElastigroup(account, id as string)
}

main()
