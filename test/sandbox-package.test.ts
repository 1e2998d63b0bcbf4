import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
// Builds what is packed, if it is stale; the declarations are made in the test.
import './server-process.js'
import { testDirectory } from './test-directory.js'

const root = join(import.meta.dirname, '..')
const { NODE_OPTIONS, ...env } = process.env
const run = (command: string, words: string[], cwd: string) => promisify(execFile)(command, words, { cwd, env })

t.test('the example of a test suite compiles and runs with the packed package', async (t) => {
  const page = readFileSync(join(root, 'docs/sandbox.md'), 'utf8')
  const [, example = ''] = /```ts\n([^]*?)```/.exec(page) ?? []
  const folder = testDirectory(t, { 'example.mts': example, 'example.mjs': example })
  await run(process.execPath, ['scripts/build.js', '--types'], root)
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], root)
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  await run('tar', ['-xzf', `spot-api-${version}.tgz`], folder)
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  renameSync(join(folder, 'package'), join(folder, 'node_modules/spot-api'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules/spot-api/node_modules'))
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
    compilerOptions: {
      module: 'NodeNext', strict: true, noEmit: true, types: ['node'], typeRoots: [join(root, 'node_modules/@types')]
    },
    files: ['example.mts']
  }))
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  const [compiled, ran] = await Promise.all([
    run(process.execPath, [tsc, '-p', '.'], folder).catch((error: { stdout: string }) => error),
    run(process.execPath, ['example.mjs'], folder)
  ])
  t.equal(compiled.stdout, '')
  t.match(ran.stdout, /^http:\/\/127\.0\.0\.1:\d+ act-5a9db0c5 \[\]\n$/)
})
