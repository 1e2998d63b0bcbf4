/**
 * A process of its own at a store, for store.test.ts: `tsx store-process.ts SETTINGS claim PREFIX` claims a key after
 * another and prints those it got; `… write PREFIX` writes for ever and prints each key once it is said to be kept.
 */
import { writeSync } from 'node:fs'
import { openStore } from '../services/store/index.js'

const [settings, task, prefix] = process.argv.slice(2) as [string, string, string]
const store = openStore(JSON.parse(settings))
const DAY = 86_400_000

/** At once, so that it is out before a kill. */
const print = (line: string) => writeSync(1, `${line}\n`)

if (task === 'claim') {
  print('ready')
  process.stdin.once('data', async () => {
    for (let i = 0; i < 100; i++) {
      if (await store.swap(`${prefix}${i}`, undefined, String(process.pid), DAY)) print(`${prefix}${i}`)
    }
    await store.close()
    process.exit()
  })
} else {
  // Several at a time, so that a kill hits commits of more than one record.
  await Promise.all(['a', 'b', 'c', 'd'].map(async (lane) => {
    for (let i = 0; ; i++) {
      const key = `${prefix}${lane}${i}`
      if (await store.swap(key, undefined, `value of ${key}`, DAY)) print(key)
    }
  }))
}
