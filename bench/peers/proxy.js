// What reads one group of Spot and no more: no token, limit, log or metrics. Its `layers` are those of which the price
// is seen: a plain node:http at both ends, undici or got as the client, Fastify as the server.
import { get, createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import Fastify from 'fastify'
import { listenAndTell } from './listen.js'

const { account: { id, token, endpoint }, layers } = JSON.parse(process.argv[2])
const headers = { authorization: `Bearer ${token}` }

/** As each is used first: with its own defaults, connections kept alive among them. */
const clients = {
  http: async () => (url) => new Promise((resolve, reject) => {
    get(url, { headers }, (response) => json(response).then(resolve, reject)).on('error', reject)
  }),
  undici: async () => {
    const { request } = await import('undici')
    return async (url) => (await request(url, { headers })).body.json()
  },
  got: async () => {
    const { default: got } = await import('got')
    return (url) => got(url, { headers }).json()
  }
}

const servers = {
  http: async (read) => listenAndTell(createServer(async ({ url }, response) => {
    const body = JSON.stringify(await read(url.split('/').at(-1)))
    response.writeHead(200, { 'content-type': 'application/json' }).end(body)
  })),
  fastify: async (read) => {
    const app = Fastify()
    app.get('/demo/elastigroups/:group', ({ params: { group } }) => read(group))
    process.send({ url: await app.listen({ host: '127.0.0.1', port: 0 }) })
  }
}

const { server, client } = layers
const ask = await clients[client]()
await servers[server](async (group) => {
  const { response: { items: [item] } } = await ask(`${endpoint}/aws/ec2/group/${group}?accountId=${id}`)
  return item
})
