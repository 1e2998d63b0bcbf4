import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { has, Lacks } from './run.js'

const root = join(import.meta.dirname, '..')
const document = join(root, 'openapi/spot-api.json')

/** Each has a folder here with a `package.js`. */
export const languages = readdirSync(import.meta.dirname)
  .filter((name) => existsSync(join(import.meta.dirname, name, 'package.js')))

/** The folder that a language's package is made in. */
export const outputOf = (language) => join(root, 'dist/sdks', language)

/** `package.js` of a language. @throws {Lacks} if one of its tools is not installed */
export async function moduleOf (language) {
  const module = await import(`./${language}/package.js`)
  const missing = module.tools.filter((tool) => !has(tool))
  if (missing.length > 0) throw new Lacks(`there is no ${missing.join(' and no ')}`)
  return module
}

/**
 * Makes a package.
 *
 * @returns its folder
 * @throws {Lacks} if something that it needs is not installed
 */
export async function makePackage (language) {
  const { generate } = await moduleOf(language)
  const output = outputOf(language)
  const { info: { version } } = JSON.parse(readFileSync(document, 'utf8'))
  rmSync(output, { recursive: true, force: true })
  mkdirSync(output, { recursive: true })
  await generate({ document, output, version })
  cpSync(join(root, 'LICENSE'), join(output, 'LICENSE'))
  writeFileSync(join(output, 'README.md'), readmeOf(language, version))
  return output
}

/** The five calls, as the program of a language makes them. */
export function exampleOf (language) {
  const folder = join(import.meta.dirname, language)
  const program = readdirSync(folder, { recursive: true }).find((name) => /(^|\/)example\.\w+$/i.test(name))
  const lines = readFileSync(join(folder, program), 'utf8').split('\n')
  const from = lines.findIndex((line) => /^\W*five calls\W*$/.test(line))
  const to = lines.findIndex((line, at) => at > from && /^\W*end\W*$/.test(line))
  if (from < 0 || to < 0) throw new Error(`${program} has no lines between "five calls" and "end".`)
  const indent = /^\s*/.exec(lines[from])[0].length
  return lines.slice(from + 1, to).map((line) => line.slice(Math.min(indent, line.search(/\S|$/)))).join('\n').trim()
}

/** The README of a package: its example is what the program does. */
const readmeOf = (language, version) => readFileSync(join(import.meta.dirname, language, 'README.md'), 'utf8')
  .replaceAll('{{version}}', version).replaceAll('{{example}}', exampleOf(language))
