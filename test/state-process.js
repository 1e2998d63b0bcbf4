/**
 * A process of its own at a store, for store.test.ts: `tsx store-process.ts SETTINGS TASK PREFIX` opens the store, says
 * `ready`, and does the task once it gets a line.
 */
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { openStore } from '../services/store/index.js'

const [settings, task, prefix] = process.argv.slice(2) as [string, string, string]
const store = openStore(JSON.parse(settings))
const DAY = 86_400_000

/** At once, so that it is out before a kill. */
const print = (line: string) => writeSync(1, `${line}\n`)

const tasks: Record<string, () => Promise<void>> = {
  /** Claims a hundred keys, and prints those it got. */
  async claim () {
    for (let i = 0; i < 100; i++) {
      if (await store.swap(`${prefix}${i}`, undefined, String(process.pid), DAY)) print(`${prefix}${i}`)
    }
    await store.close()
    process.exit()
  },
  /** Writes for ever, several at a time, and prints each key once it is said to be kept, or `!` and what went wrong. */
  async write () {
    await Promise.all(['a', 'b', 'c', 'd'].map(async (lane) => {
      for (let i = 0; ; i++) {
        const key = `${prefix}${lane}${i}`
        try {
          if (await store.swap(key, undefined, `value of ${key}`, DAY)) print(key)
        } catch (error) {
          print(`! ${error}`)
          await sleep(20)
        }
      }
    }))
  }
}

// Many processes start at the same time, so opening may take longer than a call should.
while (await store.get('a').then(() => false, () => true));
print('ready')
process.stdin.once('data', tasks[task] as () => Promise<void>)
