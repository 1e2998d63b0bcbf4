import { Configuration, ElastigroupCreateFromJSON, ElastigroupsApi } from './index'

const { SPOT_API_URL: basePath, SPOT_API_TOKEN: apiKey, SPOT_API_ACCOUNT: account = '', GROUP = '' } = process.env

async function main () {
  const groups = new ElastigroupsApi(new Configuration({ basePath, apiKey }))
  const elastigroupCreate = ElastigroupCreateFromJSON(JSON.parse(GROUP))
  const { id } = await groups.createElastigroup({ account, elastigroupCreate })
  const elastigroup = id as string
  const { name } = await groups.getElastigroup({ account, elastigroup })
  await groups.updateElastigroup({ account, elastigroup, elastigroupUpdate: { description: null } })
  const list = await groups.listElastigroups({ account, name: name as string })
  if (list.length !== 1) throw new Error('the list has not one group')
  await groups.deleteElastigroup({ account, elastigroup })
}

main()
