// The Go package: made by oapi-codegen, as one file. Its nullable types tell null from what is missing.
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openObjects } from '../open-objects.js'
import { fetchPackages, run } from '../run.js'

const GENERATOR = 'github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2'

export const tools = ['go']

const here = import.meta.dirname
const WRITTEN = ['client.go', 'error.go', 'repeat.go', 'example', 'go.mod', 'go.sum']

/** Makes the package. Its version is the tag in the repository that it is published from. */
export async function generate ({ document, output }) {
  for (const name of WRITTEN) cpSync(join(here, name), join(output, name), { recursive: true })
  const opened = join(output, 'openapi.json')
  openObjects(document, opened)
  writeFileSync(opened, readFileSync(opened, 'utf8').replace(/"x-enum-varnames":\[[^\]]*\]/g, inPascalCase))
  await fetchPackages('go', ['mod', 'download'], { cwd: output })
  await fetchPackages('go', ['run', GENERATOR, '-version'], { cwd: output })
  await run('go', ['run', GENERATOR, '-config', join(here, 'oapi-codegen.yaml'), '-o', 'spotapi.gen.go', opened],
    { cwd: output })
  rmSync(opened)
  await run('go', ['vet', './...'], { cwd: output })
}

/** Names of constants, which would be `ProblemTypeROLLINPROGRESS` otherwise. */
const inPascalCase = (names) => names.replace(/[A-Z]+(_[A-Z]+)*(?=")/g, (name) => name.split('_')
  .map((word) => word[0] + word.slice(1).toLowerCase()).join(''))

export const example = ({ output, environment }) => run('go', ['run', './example'], { cwd: output, environment })
