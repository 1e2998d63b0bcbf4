import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'

export interface Image {
  /** Directory that stands for `/`. */
  root: string
  base: string
  workdir: string
  environment: Record<string, string>
  /** What is written behind LABEL, USER, HEALTHCHECK and the like, by instruction. */
  settings: Record<string, string>
}

interface BuildOptions {
  /** What `COPY` without `--from` copies from. */
  context: string
  /** An empty directory; each stage gets one in it. */
  folder: string
  arguments: Record<string, string>
  /** What to carry out for a `RUN`: the command itself, or another way to do it. @returns undefined where it is done */
  instead: (command: string, directory: string) => string | undefined
}

/**
 * Carries out the steps of a Dockerfile in directories, one a stage, with this machine's programs: for where no engine
 * can build. It knows what ours needs; an instruction that it does not know is only noted.
 *
 * @returns the last stage. Nothing may be run in it: it has no shell
 */
export function buildImage (dockerfile: string, { context, folder, arguments: given, instead }: BuildOptions): Image {
  const stages = new Map<string, Image>()
  let stage: Image | undefined
  // Those of ARG are there while it is built, and gone when it runs.
  let whileBuilt: Record<string, string> = {}
  const instructions = readFileSync(dockerfile, 'utf8').replace(/^#.*\n/gm, '').replace(/\\\n/g, '').match(/^\S.*/gm)

  for (const instruction of instructions ?? []) {
    const [, name = '', written = ''] = /^(\S+)\s+(.*)$/.exec(instruction) ?? []
    if (name === 'FROM') {
      const [base = '', , alias = 'last'] = written.split(' ')
      stage = { root: join(folder, alias), base, workdir: '/', environment: {}, settings: {} }
      whileBuilt = {}
      mkdirSync(stage.root)
      stages.set(alias, stage)
      continue
    }
    if (!stage) throw new Error(`${name} before FROM`)
    const { root, workdir, environment, settings } = stage
    const rest = written.replace(/\$\{(\w+)\}/g, (_, variable) => ({ ...whileBuilt, ...environment })[variable] ?? '')
    if (name === 'WORKDIR') mkdirSync(join(root, stage.workdir = rest), { recursive: true })
    else if (name === 'ARG') whileBuilt[rest] = given[rest] ?? ''
    else if (name === 'ENV') Object.assign(environment, pairs(rest))
    else if (name === 'COPY') copy(rest.split(' '), join(root, workdir), (from) => stages.get(from)?.root ?? context)
    else if (name === 'RUN') {
      if (!stages.has('last')) run(rest, join(root, workdir), { ...whileBuilt, ...environment })
      else throw new Error(`the last stage has no shell: ${rest}`)
    } else settings[name] = rest
  }
  if (!stage) throw new Error('no stage')
  return stage

  function run (command: string, cwd: string, environment: Record<string, string>) {
    const chosen = instead(command, cwd)
    if (chosen === undefined) return
    const { PATH = '', HOME = '' } = process.env
    execFileSync('sh', ['-c', chosen], { cwd, env: { PATH, HOME, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] })
  }
}

/** `COPY [--from=STAGE] [--chown=USER:GROUP] SOURCE… TARGET`; of a directory, what is in it. */
function copy (words: string[], directory: string, rootOf: (stage: string) => string): void {
  const option = (name: string) => words.find((word) => word.startsWith(`--${name}=`))?.split('=')[1] ?? ''
  const paths = words.filter((word) => !word.startsWith('--'))
  const target = paths.pop() ?? ''
  for (const path of paths) {
    const source = join(rootOf(option('from')), path)
    const into = statSync(source).isFile() && target.endsWith('/')
    const copied = join(directory, target, into ? basename(path) : '')
    cpSync(source, copied, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
    if (statSync(source).isDirectory() && paths.length === 1) chmodSync(copied, statSync(source).mode)
    const [user, group] = option('chown').split(':').map(Number)
    // Whoever is not root owns what he copies, and runs the server as himself.
    if (user && group && process.getuid?.() === 0) chownSync(copied, user, group)
  }
}

/** `NAME=value NAME="some value"` */
export function pairs (text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/(\S+?)=(?:"([^"]*)"|(\S*))/g)].map(
    ([, name, quoted, bare]) => [name, quoted ?? bare ?? '']))
}

/** The files that `.dockerignore` leaves: ours refuses all, and then takes some by name. */
export function sentToBuild (dockerignore: string): string[] {
  const [first, ...others] = readFileSync(dockerignore, 'utf8').split('\n').filter((line) => /^[^#]/.test(line))
  const names = others.map((line) => /^!([\w.-]+)$/.exec(line)?.[1])
  if (first !== '*' || names.includes(undefined)) throw new Error('.dockerignore must refuse all but some names')
  return names as string[]
}
