import neostandard, { resolveIgnoresFromGitignore } from 'neostandard'

/** A test waits for an event, not for a time: on a busy machine every time is too short. `test/until.ts` waits. */
const waiting = { message: 'Wait for an event (until, once), not for a time. Exceptions: eslint.config.js.' }
/** It waits; these two send as callers do, who obey Retry-After and rest; this one writes at a pace. */
const mayWait = ['test/until.ts', 'test/chaos.test.ts', 'test/local.test.ts', 'test/state-process.js']
// Of `/state/`, the directory of a running server, it makes every folder of that name: services/state, too.
const ignores = resolveIgnoresFromGitignore().map((path) => path === '**/state/**' ? 'state/**' : path)

export default [
  ...neostandard({ ts: true, ignores: [...ignores, 'openapi/types.d.ts'] }),
  {
    rules: {
      '@stylistic/max-len': ['error', { code: 120, ignoreUrls: true, ignoreRegExpLiterals: true }]
    }
  },
  {
    files: ['test/**'],
    ignores: mayWait,
    rules: {
      'no-restricted-syntax': ['error',
        { selector: "ImportDeclaration[source.value='node:timers/promises'] [imported.name='setTimeout']", ...waiting },
        { selector: "CallExpression[callee.name='setTimeout']", ...waiting }]
    }
  }
]
