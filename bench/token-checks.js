// What a token costs: the first time it is seen, and from then on. In this process.
import { hash } from 'node:crypto'
import { hashSync, verify } from '@node-rs/bcrypt'
import { tokens } from '../dist/services/access/tokens.js'
import { alternate, print, row } from './figures.js'
import { KEY, TOKEN } from './processes.js'

const CHECKS = 100_000

export async function tokenChecks () {
  const { check } = tokens([{ name: 'default', keys: [KEY] }])
  const token = TOKEN['x-auth-token']
  const took = async (work) => {
    const began = performance.now()
    await work()
    return performance.now() - began
  }
  const many = (work) => async () => { for (let i = 0; i < CHECKS; i++) await work() }
  const each = (work) => async () => await took(many(work)) / CHECKS * 1000

  const first = await alternate({
    ours () {
      const fresh = hashSync(KEY, 10)
      return took(() => check(fresh))
    },
    bcrypt: () => took(() => verify(KEY, token))
  })
  if ((await check(token)).name !== 'default') throw new Error('the token is not valid')
  const cached = await alternate({
    ours: each(() => check(token)),
    hash: each(() => hash('sha256', KEY + token, 'base64'))
  })
  return [
    row({ figure: 'check of a fresh token', unit: 'ms', ours: first.ours, peer: 'bcrypt', theirs: first.bcrypt }),
    row({
      figure: 'check of a known token',
      unit: 'µs',
      ours: cached.ours,
      peer: 'one hash',
      theirs: cached.hash,
      target: '≤ 10 µs'
    })
  ]
}

await print(import.meta, tokenChecks)
