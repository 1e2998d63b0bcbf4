import { deepStrictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { matches } from '../services/resources/glob.js'
import { type Json, RUNS } from './guardrails-oracle.js'

t.test('a glob matches like the regular expression that it stands for', async () => {
  const glob = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 6 })
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 })
  fc.assert(fc.property(glob, text, (glob, text) => {
    const want = (signs: Record<string, string>) =>
      new RegExp(`^${[...glob].map((one) => signs[one] ?? one).join('')}$`, 's').test(text)
    deepStrictEqual(matches(glob, text, '?'), want({ '*': '.*', '?': '.', '.': '\\.' }))
    deepStrictEqual(matches(glob, text), want({ '*': '.*', '?': '\\?', '.': '\\.' }), 'of names, ? is a character')
  }), RUNS)
})

t.test('matching a glob is fast for any text', async (t) => {
  let looks = 0
  const text = new Proxy(Object('a'.repeat(10_000)) as Json, {
    get (target, name) {
      if (name !== 'length') looks++
      return target[name as string]
    }
  }) as unknown as string
  for (const glob of ['*?a*?a*?a*?ab*', '*aaaaa?b*']) {
    looks = 0
    t.equal(matches(glob, text, '?'), false)
    t.ok(looks >= text.length && looks <= glob.length * text.length, `${looks} looks at its characters`)
  }
})
