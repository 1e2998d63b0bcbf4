import type { Gateway } from './helper.js'

/** What comes after `$2b$10$` in a hash: salt and hash, of no key we know. */
export const tail = 'abcdefghijklmnopqrstuABCDEFGHIJKLMNOPQRSTUVWXYZ012345'

/** A gateway that believes what `from` says. */
export const ADDRESSES = { configuration: { trustedProxies: ['127.0.0.0/8'] } }
/** Headers of a request that comes from an address. */
export const from = (address: string) => ({ 'x-forwarded-for': address })

/** How many token checks ended with each result so far. */
export async function counts ({ request }: Gateway): Promise<Record<string, number>> {
  const { text } = await request('GET', '/v1/spot/metrics', { token: null })
  return Object.fromEntries([...text.matchAll(/^spot_api_auth_total\{result="([\w-]+)"\} (\d+)$/gm)]
    .map(([, result, count]) => [result, Number(count)]))
}

/** Different hashes of no key we know. Salt and hash end in `.`: other ends may mean nothing, and cost no bcrypt. */
export const wrongTokens = (count: number, cost = '10') =>
  Array.from({ length: count }, (_, i) => `$2b$${cost}$${tail.slice(0, 21)}.${String(i).padEnd(31, '.')}`)
