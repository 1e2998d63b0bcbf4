// The TypeScript package: made by @hey-api/openapi-ts, which is pinned in this project's package.json, for `fetch`. It
// keeps fields that it does not know, tells null from what is missing, and types the errors.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { run } from '../run.js'

const NAME = 'spot-api-client'

/** Of Node.js, which is there, and of this project's development packages. */
export const tools = []

const { resolve } = createRequire(import.meta.url)
const project = JSON.parse(readFileSync(resolve('../../package.json'), 'utf8'))

export async function generate ({ document, output, version }) {
  await run(process.execPath, [join(import.meta.dirname, 'generate.js'), document, join(output, 'src')])
  for (const name of ['spot-api.ts', 'example.ts']) {
    copyFileSync(join(import.meta.dirname, name), join(output, 'src', name))
  }
  writeFileSync(join(output, 'package.json'), JSON.stringify(manifest(version), null, 2) + '\n')
  writeFileSync(join(output, 'tsconfig.json'), JSON.stringify(COMPILER, null, 2) + '\n')
  await run(process.execPath, [resolve('typescript/bin/tsc'), '-p', output])
}

export const example = ({ output, environment }) =>
  run(process.execPath, [join(output, 'lib/example.js')], { environment })

const manifest = (version) => ({
  name: NAME,
  version,
  description: 'Client of spot-api, a REST API in front of Spot for AWS Elastigroups and managed instances',
  license: project.license,
  repository: project.repository,
  type: 'module',
  exports: { '.': { types: './lib/spot-api.d.ts', default: './lib/spot-api.js' } },
  files: ['lib', '!lib/example.*'],
  sideEffects: false,
  engines: { node: '>=20' },
  dependencies: { bcryptjs: project.devDependencies.bcryptjs }
})

/** The program is compiled with the package, so that its types are checked as a user's are. */
const COMPILER = {
  compilerOptions: {
    target: 'ES2022',
    lib: ['ES2022', 'DOM', 'DOM.Iterable'],
    module: 'NodeNext',
    strict: true,
    skipLibCheck: true,
    declaration: true,
    types: ['node'],
    rootDir: 'src',
    outDir: 'lib'
  },
  include: ['src']
}
