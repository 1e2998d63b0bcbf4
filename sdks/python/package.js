// The Python package: made by openapi-python-client, which is pinned in requirements.txt. It tells null (None) from
// what is missing (UNSET), and keeps fields that it does not know.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fetchPackages, Lacks, run } from '../run.js'

const MODULE = 'spot_api_client'

export const tools = ['python3']

export async function generate ({ document, output, version }) {
  const python = await environmentAt(environmentOf(output))
  const folder = join(output, MODULE)
  const [input, config] = ['document.json', 'config.json'].map((name) => join(output, name))
  writeFileSync(input, JSON.stringify(successesOf(JSON.parse(readFileSync(document, 'utf8'), nullableOf))))
  writeFileSync(config, JSON.stringify({ post_hooks: [], literal_enums: true }))
  const words = ['generate', '--path', input, '--config', config, '--meta', 'none', '--output-path', folder]
  await run(join(dirname(python), 'openapi-python-client'), words)
  rmSync(input)
  rmSync(config)
  copyFileSync(join(import.meta.dirname, 'connection.py'), join(folder, 'connection.py'))
  copyFileSync(join(import.meta.dirname, 'init.py'), join(folder, '__init__.py'))
  writeFileSync(join(output, 'pyproject.toml'), projectOf(version))
}

export const example = ({ output, environment }) => run(
  join(environmentOf(output), 'bin/python'),
  [join(import.meta.dirname, 'example.py')],
  { environment: { ...environment, PYTHONPATH: output, PYTHONDONTWRITEBYTECODE: '1' } })

/** A virtual environment beside the package. */
const environmentOf = (output) => join(dirname(output), '.python')

/** What is pinned, installed unless it is there. @returns its Python */
async function environmentAt (folder) {
  const python = join(folder, 'bin/python')
  const pinned = join(import.meta.dirname, 'requirements.txt')
  const installed = join(folder, 'requirements.txt')
  const textOf = (file) => { try { return readFileSync(file, 'utf8') } catch {} }
  if (textOf(installed) === textOf(pinned)) return python
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  await run('python3', ['-m', 'venv', folder]).catch(() => { throw new Lacks('there is no Python 3 with venv') })
  const words = ['install', '--quiet', '--disable-pip-version-check', '--requirement', pinned]
  await fetchPackages(python, ['-m', 'pip', ...words])
  copyFileSync(pinned, installed)
  return python
}

/** A reference that may be null, as this generator takes it: beside `type` and `allOf` it reads over `nullable`. */
const nullableOf = (_, value) => value?.nullable && value.allOf
  ? { description: value.description, nullable: true, oneOf: value.allOf }
  : value

/** The document without problems: they are raised, so functions are typed by what they return. */
function successesOf (document) {
  for (const operations of Object.values(document.paths)) {
    for (const { responses } of Object.values(operations)) {
      for (const status of Object.keys(responses ?? {})) if (!/^2/.test(status)) delete responses[status]
    }
  }
  return document
}

const projectOf = (version) => `[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "spot-api-client"
version = "${version}"
description = "Client of spot-api, a REST API in front of Spot for AWS Elastigroups and managed instances"
readme = "README.md"
license = "AGPL-3.0-only"
license-files = ["LICENSE"]
requires-python = ">=3.11"
dependencies = ["attrs>=22.2", "bcrypt>=4", "httpx>=0.23.1,<0.29"]

[project.urls]
Source = "https://github.com/YaleSpinup/spot-api"

[tool.setuptools.packages.find]
include = ["${MODULE}*"]

[tool.setuptools.package-data]
${MODULE} = ["py.typed"]
`
