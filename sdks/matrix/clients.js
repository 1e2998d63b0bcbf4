// The clients of the matrix beside our packages: how each is generated, compiled and run.
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { openapiGenerator } from '../openapi-generator.js'
import { run } from '../run.js'

const programs = import.meta.dirname
const { resolve } = createRequire(import.meta.url)
const JAVA = ['mvn', 'java']
const ogen = 'github.com/ogen-go/ogen/cmd/ogen@v1.24.0'
const orval = 'orval@7.9.0'
const axios = 'axios@1.12.2'
/** Without TLS, which would need a library of the system. */
const RUST = ['--no-default-features']
const packages = ['@types/node@20.19.43']

const program = (name, output, written = name) => copyFileSync(join(programs, name), join(output, written))

/** With openapi-generator. */
const made = (generator, settings) => (document, output) =>
  openapiGenerator({ generator, document, output, settings })

/** One Go module `spot-api/matrix`, and the program in a folder of it. */
const go = (crud) => ({
  async compile (output) {
    rmSync(join(output, 'test'), { recursive: true, force: true })
    writeFileSync(join(output, 'go.mod'), 'module spot-api/matrix\n\ngo 1.24\n')
    await run('go', ['mod', 'tidy'], { cwd: output })
    await run('go', ['build', './...'], { cwd: output })
  },
  async crud (output, environment) {
    mkdirSync(join(output, 'crud'), { recursive: true })
    program(crud, join(output, 'crud'), 'main.go')
    await run('go', ['run', './crud'], { cwd: output, environment })
  }
})

const COMPILER = {
  strict: true,
  skipLibCheck: true,
  esModuleInterop: true,
  target: 'es2022',
  lib: ['es2022', 'dom', 'dom.iterable'],
  types: ['node'],
  module: 'commonjs',
  moduleResolution: 'node10',
  outDir: 'built'
}

/** Checked as strictly as TypeScript can, and run as CommonJS. */
function typescript (client, crud, ...others) {
  const compile = (output, file) => {
    writeFileSync(join(output, 'tsconfig.json'), JSON.stringify({ compilerOptions: COMPILER, files: [file] }))
    return run(process.execPath, [resolve('typescript/bin/tsc')], { cwd: output })
  }
  return {
    async compile (output) {
      writeFileSync(join(output, 'package.json'), '{"private": true}\n')
      const quiet = ['--no-audit', '--no-fund', '--no-package-lock']
      await run('npm', ['install', ...quiet, ...packages, ...others], { cwd: output })
      await compile(output, client)
    },
    async crud (output, environment) {
      program(crud, output, 'crud.ts')
      await compile(output, 'crud.ts')
      await run(process.execPath, ['built/crud.js'], { cwd: output, environment })
    }
  }
}

/** `tools` are the commands that it needs; `crud` compiles and runs the program. */
export const clients = {
  'openapi-generator go': {
    tools: [...JAVA, 'go'],
    generate: made('go', { packageName: 'spot', withGoMod: false }),
    ...go('crud.go')
  },
  ogen: {
    tools: ['go'],
    generate: (document, output) => run('go', ['run', ogen, '--target', join(output, 'spot'), '--package', 'spot',
      '--config', join(programs, 'ogen.yml'), document]),
    ...go('crud-ogen.go')
  },
  'openapi-generator python': {
    tools: [...JAVA, 'python3'],
    generate: made('python'),
    async compile (output) {
      await run('python3', ['-m', 'venv', 'venv'], { cwd: output })
      await run('venv/bin/pip', ['install', '--quiet', '-r', 'requirements.txt'], { cwd: output })
      await run('venv/bin/python', ['-c', 'import openapi_client; openapi_client.Elastigroup'], { cwd: output })
    },
    async crud (output, environment) {
      program('crud.py', output)
      await run('venv/bin/python', ['crud.py'], { cwd: output, environment })
    }
  },
  'openapi-generator typescript-fetch': {
    tools: JAVA,
    generate: made('typescript-fetch'),
    ...typescript('index.ts', 'crud-fetch.ts')
  },
  'openapi-generator typescript-axios': {
    tools: JAVA,
    generate: made('typescript-axios'),
    ...typescript('index.ts', 'crud-axios.ts', axios)
  },
  orval: {
    tools: ['npm'],
    generate: (document, output) => run('npm', ['exec', '--yes', `--package=${orval}`, '--', 'orval',
      '--input', document, '--output', 'spot.ts', '--client', 'axios-functions'], { cwd: output }),
    ...typescript('spot.ts', 'crud-orval.ts', axios)
  },
  'openapi-generator rust': {
    tools: [...JAVA, 'cargo'],
    generate: made('rust', { supportAsync: false }),
    compile: (output) => run('cargo', ['build', '--quiet', ...RUST], { cwd: output }),
    async crud (output, environment) {
      mkdirSync(join(output, 'examples'), { recursive: true })
      program('crud.rs', join(output, 'examples'))
      await run('cargo', ['run', '--quiet', ...RUST, '--example', 'crud'], { cwd: output, environment })
    }
  },
  'openapi-generator kotlin': {
    tools: JAVA,
    generate: made('kotlin'),
    async compile (output) {
      program('kotlin-pom.xml', output, 'pom.xml')
      await run('mvn', ['-q', '-B', 'compile'], { cwd: output })
    },
    async crud (output, environment) {
      program('Crud.kt', join(output, 'src/main/kotlin'))
      await run('mvn', ['-q', '-B', 'compile'], { cwd: output })
      await run('java', ['-cp', 'target/classes:target/lib/*', 'CrudKt'], { cwd: output, environment })
    }
  }
}
