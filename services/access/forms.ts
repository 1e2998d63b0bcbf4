/** Why a token is refused. */
export type Refusal = 'missing' | 'key-itself' | 'expanded' | 'costly' | 'malformed' | 'wrong'

/** bcrypt uses 72 bytes of a key and ignores the rest; a key shorter than 16 can be guessed. */
export const KEY_BYTES = { fewest: 16, most: 72 }

/** Highest bcrypt cost that is checked: 2^12 rounds, about 0.2 s. The caller picks the cost, so it needs a limit. */
const HIGHEST_COST = 12

export const refusals: Record<Refusal, { detail: string, hint: string }> = {
  missing: {
    detail: 'The X-Auth-Token header is missing.',
    hint: "Send a bcrypt hash of your key: X-Auth-Token: $2b$10$… Make one with 'spot-api token' or " +
      "'htpasswd -bnBC 10 \"\" KEY | tr -d :'."
  },
  'key-itself': {
    detail: 'X-Auth-Token is the key itself.',
    hint: "Never send the key. Send a bcrypt hash of it: 'spot-api token' makes one."
  },
  expanded: {
    detail: 'X-Auth-Token lost its dollar signs on the way.',
    hint: "A shell expands $2b$10 inside double quotes. Put the header in single quotes: -H 'X-Auth-Token: $2b$10$…'"
  },
  costly: {
    detail: `The bcrypt cost of X-Auth-Token is not between 4 and ${HIGHEST_COST}.`,
    hint: 'Make the hash with cost 10: the key stays as safe, and the check stays quick.'
  },
  malformed: {
    detail: 'X-Auth-Token is not a bcrypt hash.',
    hint: 'A bcrypt hash has 60 characters and begins with $2a$, $2b$ or $2y$, then the cost: $2b$10$…'
  },
  wrong: {
    detail: 'X-Auth-Token is a hash of another key.',
    hint: 'Make the hash again from the key your operator gave you. Mind spaces and line ends around it. With ' +
      'many clients, send the name of yours as X-Auth-Client.'
  }
}

/**
 * Checks the form of a token without bcrypt: `$2b$10$` and 53 characters (22 salt, 31 hash).
 *
 * @returns why it cannot be a token, or undefined
 */
export function refusalOfForm (token: string): 'costly' | 'malformed' | 'expanded' | undefined {
  const form = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(token)
  if (form) return Number(form[1]) < 4 || Number(form[1]) > HIGHEST_COST ? 'costly' : undefined
  // In "$2b$10$abc…" a shell takes $2, $1 and $abc for variables and leaves b, 0 and what follows the last. In
  // "$2y$05$abc…" it puts its own name for $0: y-bash5 and what follows.
  return /^[aby](?:[-./\w]*sh)?\d/.test(token) && token.length < 80 ? 'expanded' : 'malformed'
}
