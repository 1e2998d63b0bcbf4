// The earlier Go service, where builds of it are given: GO_SERVICE=/opt/as-it-is:/opt/without-bcrypt npm run bench.
// They read Spot's address from SPOTINST_BASE_URL; the name of a file is the name of its row.
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { basename, delimiter, join } from 'node:path'
import { answering, folder, freePort, KEY, started } from './processes.js'

const binaries = process.env.GO_SERVICE?.split(delimiter) ?? []

/** @returns each build by its name */
export async function goServices ({ endpoint, ...account }) {
  const services = {}
  for (const binary of binaries) services[`Go service, ${basename(binary)}`] = await start(binary, endpoint, account)
  return services
}

async function start (binary, endpoint, account) {
  const port = await freePort()
  const home = folder()
  const config = join(home, 'config.json')
  writeFileSync(config, JSON.stringify({
    listenAddress: `127.0.0.1:${port}`, token: KEY, logLevel: 'info', accounts: { demo: account }
  }))
  const child = spawn(binary, ['-config', config], {
    cwd: home, env: { ...process.env, SPOTINST_BASE_URL: endpoint }, stdio: ['ignore', 'ignore', 'ignore']
  })
  const server = { ...started(child), url: `http://127.0.0.1:${port}/v1/spot` }
  await answering(`${server.url}/ping`, child)
  return server
}
