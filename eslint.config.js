import neostandard, { resolveIgnoresFromGitignore } from 'neostandard'

// Of `/state/`, the directory of a running server, it makes every folder of that name: services/state, too.
const ignores = resolveIgnoresFromGitignore().map((path) => path === '**/state/**' ? 'state/**' : path)

export default [
  ...neostandard({ ts: true, ignores: [...ignores, 'openapi/types.d.ts'] }),
  {
    rules: {
      '@stylistic/max-len': ['error', { code: 120, ignoreUrls: true, ignoreRegExpLiterals: true }]
    }
  }
]
