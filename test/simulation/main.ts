import { fork } from 'node:child_process'
import { parseArgs } from 'node:util'
import { simulate, type Result } from './run.js'

const HELP = `npm run simulate -- [--seeds N] [--jobs J] [--seed S] [--no-shrink]

Plays histories of simulated servers, and says which broke a promise.

  --seeds N    histories; default: 10000
  --jobs J     processes that share them; default: 1
  --seed S     a whole number from which all follows: the same one plays the same histories; default: a random one
  --no-shrink  stop at the first that broke a promise, and do not look for a shorter one
  --help       print this`

/** Histories that follow from one seed. */
const ROUND = 1000

function fail (message: string): never {
  console.error(`${message}\nSee npm run simulate -- --help.`)
  process.exit(2)
}

function wholeNumber (name: string, value: string | undefined, standard: number, least: number, most: number): number {
  if (value === undefined) return standard
  const number = Number(value)
  if (!/^\d+$/.test(value) || number < least || number > most) {
    fail(`--${name} must be a whole number from ${least} to ${most}, not ${JSON.stringify(value)}.`)
  }
  return number
}

function settings () {
  try {
    const { values } = parseArgs({
      options: {
        seeds: { type: 'string' },
        seed: { type: 'string' },
        jobs: { type: 'string' },
        'no-shrink': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false }
      }
    })
    if (values.help) {
      console.log(HELP)
      process.exit()
    }
    return {
      histories: wholeNumber('seeds', values.seeds, 10_000, 1, 1e9),
      jobs: wholeNumber('jobs', values.jobs, 1, 1, 64),
      seed: wholeNumber('seed', values.seed, Math.floor(Math.random() * 2 ** 30), 0, 2 ** 30),
      shrink: !values['no-shrink']
    }
  } catch (error) {
    fail((error as Error).message)
  }
}

/** A round of one process, and what came of it. */
interface Round { seed: number, histories: number, shrink: boolean }
type Player = (round: Round) => Promise<Result>

/** Thousands of errors a second need no stacks, and garbage is collected less often where there is room for it. */
const FAST = ['--stack-trace-limit=0', '--max-semi-space-size=64']

/** A process of its own, which ends with this one. */
function player (): Player {
  const child = fork(import.meta.filename, {
    env: { ...process.env, SIMULATE_ROUNDS: '1' }, execArgv: [...process.execArgv, ...FAST]
  })
  let answer = (_result: Result) => {}
  child.on('message', (result: Result) => answer(result))
  child.on('exit', (code) => process.exit(code || 1))
  return (round) => new Promise((resolve) => {
    answer = resolve
    child.send(round)
  })
}

async function main () {
  const { histories, jobs, seed, shrink } = settings()
  const began = performance.now()
  let begun = 0
  let played = 0
  const play = async (player: Player) => {
    while (begun < histories) {
      const round = { seed: seed + begun / ROUND, histories: Math.min(ROUND, histories - begun), shrink }
      begun += ROUND
      const result = await player(round)
      played += result.histories
      const speed = Math.round(played / (performance.now() - began) * 1000)
      if (result.report) {
        console.error(`\nA promise broke after ${played} histories (seed ${round.seed}, ${speed} a second):`)
        console.error(result.report)
        process.exit(1)
      }
      process.stderr.write(`\r${played} histories, ${speed} a second, 0 violations `)
    }
  }
  await Promise.all(Array.from({ length: jobs }, () => play(player())))
  process.stderr.write('\n')
  process.exit()
}

if (process.env.SIMULATE_ROUNDS) {
  let again = ''
  process.on('disconnect', () => process.exit())
  process.on('message', async ({ seed, histories, shrink }: Round) => {
    again = `Play it again: npm run simulate -- --seed ${seed} --seeds ${histories}`
    process.send?.(await simulate(seed, histories, shrink))
  })
  // A server would have ended.
  process.on('uncaughtException', (error) => {
    process.send?.({ histories: 0, report: `nobody catches ${error}\n${again}` } satisfies Result)
  })
} else {
  await main()
}
