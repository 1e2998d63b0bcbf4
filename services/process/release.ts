import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const manifest: { version: string, license: string, repository: { url: string } } = require('spot-api/package.json')

export const version = manifest.version

/** The build writes it; when the server runs from source there is none. */
function stamp (): { githash: string, buildstamp: string } {
  try {
    return require('spot-api/build.json')
  } catch {
    return { githash: 'unknown', buildstamp: 'unknown' }
  }
}

export const { githash, buildstamp } = stamp()

/**
 * Version and build of the server, and where its source is (GNU AGPL, section 13).
 *
 * @param source where the operator offers the source of a changed version; default: this project's repository
 */
export const release = (source: string | undefined) => ({
  version,
  githash,
  buildstamp,
  license: manifest.license,
  source: source ?? manifest.repository.url.replace(/^git\+/, '').replace(/\.git$/, '')
})
