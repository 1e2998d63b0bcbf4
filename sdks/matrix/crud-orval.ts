import axios from 'axios'
import { createElastigroup, deleteElastigroup, getElastigroup, listElastigroups, updateElastigroup } from './spot'

const { SPOT_API_URL, SPOT_API_TOKEN, SPOT_API_ACCOUNT: account = '', GROUP = '' } = process.env
axios.defaults.baseURL = SPOT_API_URL
axios.defaults.headers.common['X-Auth-Token'] = SPOT_API_TOKEN

async function main () {
  const { data: { id } } = await createElastigroup(account, JSON.parse(GROUP))
  const { data: { name } } = await getElastigroup(account, id as string)
  await updateElastigroup(account, id as string, { description: null })
  const { data: list } = await listElastigroups(account, { name: name as string })
  if (list.length !== 1) throw new Error('the list has not one group')
  await deleteElastigroup(account, id as string)
}

main()
