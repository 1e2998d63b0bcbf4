import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fetchPackages, run } from './run.js'

const ARTIFACT = 'org.openapitools:openapi-generator-cli:7.25.0'
const DEPENDENCY_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.11.0'

let jar

/** Fetched by Maven, once a process; Maven keeps it in its own repository. */
async function fetchJar () {
  const folder = mkdtempSync(join(tmpdir(), 'openapi-generator-'))
  await fetchPackages('mvn', ['-q', '-B', `${DEPENDENCY_PLUGIN}:copy`, `-Dartifact=${ARTIFACT}`,
    `-DoutputDirectory=${folder}`, '-Dmdep.stripVersion=true'], { cwd: folder })
  return join(folder, 'openapi-generator-cli.jar')
}

/**
 * @param generator one of openapi-generator's, such as `java`
 * @param settings its `--additional-properties`
 */
export async function openapiGenerator ({ generator, document, output, settings = {} }) {
  jar ??= fetchJar()
  const properties = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
  return run('java', ['-jar', await jar, 'generate', '-g', generator, '-i', document, '-o', output,
    ...properties.length > 0 ? ['--additional-properties', properties.join(',')] : []])
}
