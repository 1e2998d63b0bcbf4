// What a list of groups costs whoever reads it the plain way: all of it at once.
import { createServer } from 'node:http'
import got from 'got'
import { summaryOfElastigroup } from '../../dist/services/resources/summaries.js'
import { listenAndTell } from './listen.js'
import './watch.js'

const { upstream } = JSON.parse(process.argv[2])

listenAndTell(createServer(async (_, response) => {
  const { items } = JSON.parse((await got(upstream)).body).response
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(items.map(summaryOfElastigroup)))
}))
