/**
 * A process of its own at a state, for state*.test.ts: `node state-process.js SETTINGS TASK PREFIX` opens the state,
 * says `ready`, and does the task once it gets a line. From the build, which starts ten times as fast as the source.
 */
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'libsql'
import { openState } from '../dist/services/state/index.js'

const [settings, task, prefix] = process.argv.slice(2)
const state = openState(JSON.parse(settings), (failure) => print(failure ? `down ${failure.message}` : 'up'))
const DAY = 86_400_000

/** At once, so that it is out before a kill; again and again, while the pipe is full. */
function print (line) {
  for (;;) {
    try {
      return writeSync(1, `${line}\n`)
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error
    }
  }
}

const tasks = {
  /** Claims forty keys, and prints those it got. */
  async claim () {
    for (let i = 0; i < 40; i++) {
      if (await state.swap(`${prefix}${i}`, undefined, String(process.pid), DAY)) print(`key ${prefix}${i}`)
    }
    await state.close()
    process.exit()
  },
  /** Writes for ever, several at a time, and prints each key once it is said to be kept, or what went wrong. */
  async write () {
    await Promise.all(['a', 'b', 'c', 'd'].map(async (lane) => {
      for (let i = 0; ; i++) {
        const key = `${prefix}${lane}${i}`
        try {
          if (await state.swap(key, undefined, `value of ${key}`, DAY)) print(`key ${key}`)
          // Whoever reads the lines has to keep up.
          await sleep(4)
        } catch (error) {
          print(`failed ${error}`)
          // What cannot be written can be read.
          await state.get(key).then(() => print('read'), (error) => print(`unread ${error}`))
          await sleep(20)
        }
      }
    }))
  },
  /** Has the file locked, like a process that is stopped in the middle of a commit, until it is killed. */
  hold () {
    const database = new Database(join(JSON.parse(settings).directory, 'state.sqlite'))
    database.exec('BEGIN IMMEDIATE')
    print('key held')
    setInterval(() => {}, DAY)
  }
}

// A limit on the size of files stands for a full disk: it is to be an error of the write, not the end of the process.
process.on('SIGXFSZ', () => {})

// Many processes start at the same time, so opening may take longer than a call should.
while (await state.get('a').then(() => false, () => true));
print('ready')
process.stdin.once('data', tasks[task])
