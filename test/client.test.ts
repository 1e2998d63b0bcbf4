import createClient from 'openapi-fetch'
import t from 'tap'
import type { paths } from '../openapi/types.js'
import { start, TOKEN } from './helper.js'

/** The answer to a write that was not a dry run. */
const done = <T>(data: T | undefined) => data as Exclude<T, { dryRun: true }> | undefined

t.test('a client made of the generated types creates, reads, updates and deletes', async (t) => {
  const { url } = await start(t)
  const spot = createClient<paths>({ baseUrl: url, headers: { 'X-Auth-Token': TOKEN } })
  const account = 'demo'

  const created = await spot.POST('/v1/spot/{account}/elastigroups', {
    params: { path: { account } },
    body: {
      name: 'typed',
      strategy: { risk: 100, onDemandCount: null },
      capacity: { minimum: 0, target: 1, maximum: 2 },
      compute: { product: 'Linux/UNIX', instanceTypes: { ondemand: 't3.micro', spot: ['t3.micro'] } }
    }
  })
  t.equal(created.response.status, 201)
  const elastigroup: string = done(created.data)?.id ?? ''
  const one = { params: { path: { account, elastigroup } } }

  const read = await spot.GET('/v1/spot/{account}/elastigroups/{elastigroup}', one)
  const risk: number | null | undefined = read.data?.strategy?.risk
  t.equal(risk, 100)

  const updated = await spot.PUT('/v1/spot/{account}/elastigroups/{elastigroup}', {
    ...one, body: { description: null, capacity: { target: 2 } }
  })
  t.equal(done(updated.data)?.capacity?.target, 2)
  t.equal(done(updated.data)?.capacity?.maximum, 2, 'the rest stayed')

  const listed = await spot.GET('/v1/spot/{account}/elastigroups', { params: { path: { account } } })
  const target: number | null | undefined = listed.data?.find(({ id }) => id === elastigroup)?.capacity.target
  t.equal(target, 2)

  const deleted = await spot.DELETE('/v1/spot/{account}/elastigroups/{elastigroup}', {
    params: { ...one.params, query: { shouldDeleteVolumes: false } }
  })
  t.equal(deleted.response.status, 204)

  const gone = await spot.GET('/v1/spot/{account}/elastigroups/{elastigroup}', one)
  t.equal(gone.error?.type, 'urn:problem-type:spot-api:resource-not-found', 'errors are typed as well')
})
