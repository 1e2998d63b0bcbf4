import type { components } from '../../openapi/types.js'
import { MASK, masked } from '../masking/index.js'
import { Problem } from '../problems/index.js'
import type { Call, SpotAccount } from './call.js'
import { differences } from './differences.js'
import { requestOf } from './wire/request.js'

type Preview = components['schemas']['DryRunPreview']

/**
 * What a write is answered with that is only tried: the request that Spot would get, its secrets masked, and what an
 * update would change.
 *
 * @param present what stands now, for an update
 */
export function dryRun (account: SpotAccount, call: Call, present?: object): Problem {
  const { url, headers, body } = requestOf(account, call)
  const changes = present && differences(present, call.body)
  return new Problem('dry-run', {
    detail: `Every check passed. Spot would get what preview shows${changes ? counted(changes.length) : ''}.`,
    hint: 'Send it without dryRun=true to have it done.',
    preview: {
      request: {
        method: call.method as Preview['request']['method'],
        url: url.href,
        headers: { accept: 'application/json', ...headers, authorization: MASK },
        body: body === undefined ? null : masked(JSON.parse(body))
      },
      ...changes && { changes }
    }
  })
}

const counted = (values: number) => `, and ${values} ${values === 1 ? 'value' : 'values'} would change`
