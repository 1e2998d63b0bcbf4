#!/usr/bin/env node
// `npm run sdks [-- LANGUAGES]` and `npm run sdks:test [-- LANGUAGES]`. See --help.
import { parseArgs } from 'node:util'
import { languages, makePackage } from '../sdks/languages.js'
import { prove } from '../sdks/proof.js'
import { Lacks } from '../sdks/run.js'
import { startAlone } from '../sdks/server.js'

const HELP = `Client packages, made from the document

Usage
  npm run sdks [-- LANGUAGE …]       makes them, into dist/sdks/LANGUAGE
  npm run sdks:test [-- LANGUAGE …]  makes them, and runs the program of each against a server in front of a sandbox,
                                     then against one that is newer than the package. The server is behind nginx if
                                     nginx and redis-server are installed.

  LANGUAGE  ${languages.join(', ')}; default: all
  --help    this page

If the tools of a language are not installed, sdks says so and ends with 1; sdks:test skips the language.
`

const print = (words) => process.stdout.write(`${words}\n`)

/** Times as fast as real time that the sandbox runs: an instance starts within a second. */
const SPEED = 20

/** The local stack of deploy/local, or the server alone if a part of the stack is not installed. */
async function startServer () {
  const { missing, startStack } = await import('../deploy/local/stack.js')
  const sandbox = { seed: false, rateLimit: 1e9, speed: SPEED }
  const lacks = missing()
  if (lacks.length > 0) {
    print(`skipped: behind nginx. ${lacks.join(' ')}`)
    return { name: 'a server', ...await startAlone(sandbox) }
  }
  const stack = await startStack({ sandbox, settings: { logLevel: 'warn' } })
  return { ...stack, name: 'behind nginx', account: 'demo' }
}

/** @returns 'made', 'skipped' or 'failed' */
async function attempt (language, action) {
  const began = performance.now()
  const seconds = () => `${((performance.now() - began) / 1000).toFixed(1)} s`
  try {
    const words = await action()
    print(`${language}: ${words} in ${seconds()}`)
    return 'made'
  } catch (error) {
    if (error instanceof Lacks) print(`skipped: ${language}: ${error.message}`)
    else print(`${language}: FAILED after ${seconds()}\n${error.message}`)
    return error instanceof Lacks ? 'skipped' : 'failed'
  }
}

const make = (names) => sideBySide(names, async (language) => `made ${await makePackage(language)}`)

async function test (names) {
  const made = new Map()
  const outcomes = await sideBySide(names, async (language) => {
    made.set(language, await makePackage(language))
    return 'made'
  })
  if (made.size === 0) return outcomes
  const server = await startServer()
  try {
    for (const language of names.filter((name) => made.has(name))) {
      for (const isNewer of [false, true]) {
        outcomes.push(await attempt(language, async () => {
          print(`\n${language}, ${server.name}${isNewer ? ', and it is newer than the client' : ''}`)
          print(await prove(language, made.get(language), server, isNewer))
          return 'passed'
        }))
      }
    }
  } finally {
    await server.end()
  }
  return outcomes
}

/** Much of it is waiting for packages from elsewhere. */
const sideBySide = (names, action) =>
  Promise.all(names.map((language) => attempt(language, () => action(language))))

try {
  const { values, positionals } = parseArgs({
    options: { help: { type: 'boolean' }, test: { type: 'boolean' } }, allowPositionals: true
  })
  const unknown = positionals.filter((name) => !languages.includes(name))
  if (unknown.length > 0) throw new Error(`There is no ${unknown.join(', ')}. Languages: ${languages.join(', ')}.`)
  const names = positionals.length > 0 ? positionals : languages
  if (values.help) print(HELP)
  else if (values.test) process.exitCode = (await test(names)).includes('failed') ? 1 : 0
  else process.exitCode = (await make(names)).every((outcome) => outcome === 'made') ? 0 : 1
} catch ({ message }) {
  process.stderr.write(`${message}\n`)
  process.exitCode = 2
}
process.exit()
