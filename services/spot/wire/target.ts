/** Base URL of the vendor. */
export const SPOT_ENDPOINT = 'https://api.spotinst.io'

/** One spelling for one place: accounts that mean the same Spot are known to be the same. */
export const endpointOf = (endpoint: string = SPOT_ENDPOINT): string => new URL(endpoint).href.replace(/\/+$/, '')

/** What a path segment may be: a literal of ours, or an id that passed the contract. */
const segmentForm = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/

/** Whether it can stand in a path, as every id has to: one of another form could never be asked for. */
export const isSegment = (id: unknown): id is string => typeof id === 'string' && segmentForm.test(id)

/**
 * URL of an upstream call. Its path is built from whole segments, and what came out is compared with what was meant,
 * so that no id can reach outside its place (`..%2F..`).
 *
 * @param endpoint base URL of the account
 * @param path segments below it
 * @param query added to the query string; undefined values are left out
 * @throws {TypeError} when a segment could mean something else: a bug of ours, since the contract refuses such ids
 */
export function targetOf (endpoint: string, path: readonly string[], query: Record<string, string | undefined>): URL {
  const unfit = path.find((segment) => !segmentForm.test(segment))
  if (unfit !== undefined) throw new TypeError(`${JSON.stringify(unfit.slice(0, 40))} cannot be part of a path`)
  const url = new URL(endpoint)
  const pathname = `${url.pathname.replace(/\/+$/, '')}/${path.join('/')}`
  url.pathname = pathname
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  if (url.pathname !== pathname) throw new TypeError('the path of an upstream call is not what was meant')
  return url
}
