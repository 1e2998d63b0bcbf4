// The least that answers a ping. Usage: node bare-fastify.js [HOST:PORT]
import Fastify from 'fastify'

const [, port = '0'] = process.argv[2]?.split(':') ?? []
const app = Fastify()
app.get('/v1/spot/ping', async () => 'pong')
const url = await app.listen({ host: '127.0.0.1', port: Number(port) })
process.send?.({ url })
