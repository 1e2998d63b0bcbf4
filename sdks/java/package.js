// The Java package: made by openapi-generator for the JDK's own HTTP client. Of what it makes only the classes are
// taken: the pom, the client, the repeats and the exception are written by hand.
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openObjects } from '../open-objects.js'
import { openapiGenerator } from '../openapi-generator.js'
import { lacksPackages, run } from '../run.js'

export const tools = ['mvn', 'java', 'javac']

const here = import.meta.dirname
const PACKAGE = 'io.github.yalespinup.spotapi'
const SOURCES = 'src/main/java'

const SETTINGS = {
  library: 'native',
  invokerPackage: PACKAGE,
  apiPackage: `${PACKAGE}.api`,
  modelPackage: `${PACKAGE}.model`,
  useSingleRequestParameter: true,
  useJakartaEe: true,
  useJspecify: true,
  hideGenerationTimestamp: true
}

export async function generate ({ document, output, version }) {
  const made = join(output, 'made')
  const opened = join(output, 'openapi.json')
  openObjects(document, opened)
  await openapiGenerator({ generator: 'java', document: opened, output: made, settings: SETTINGS })
  cpSync(join(made, SOURCES), join(output, SOURCES), { recursive: true })
  rmSync(made, { recursive: true })
  rmSync(opened)
  readAsUtf8(join(output, SOURCES))
  for (const name of ['src', 'Example.java']) cpSync(join(here, name), join(output, name), { recursive: true })
  writeFileSync(join(output, 'pom.xml'), readFileSync(join(here, 'pom.xml'), 'utf8').replace('{{version}}', version))
  await run('mvn', ['-q', '-B', 'package'], { cwd: output }).catch((error) => {
    throw /Could not (transfer|find) artifact/.test(error.message) ? lacksPackages(error.message) : error
  })
}

/** The generated code reads answers in the machine's charset, which before Java 18 need not be UTF-8. */
function readAsUtf8 (sources) {
  const files = readdirSync(sources, { recursive: true }).filter((name) => name.endsWith('Api.java'))
  for (const file of files.map((name) => join(sources, name))) {
    const text = readFileSync(file, 'utf8')
    const utf8 = 'java.nio.charset.StandardCharsets.UTF_8'
    writeFileSync(file, text.replaceAll('.readAllBytes())', `.readAllBytes(), ${utf8})`))
  }
}

export const example = ({ output, environment }) =>
  run('java', ['-cp', 'target/classes:target/lib/*', 'Example.java'], { cwd: output, environment })
