import type { Problem } from './index.js'

/** Codes that the log shows, and their characters. */
const MOST_CODES = 5
const LONGEST_CODE = 100

/**
 * Why a request was not done, for the log. Nothing that the caller sent or that Spot wrote is in it, save codes: those
 * texts can contain anything. The detail is there where it is all our own.
 *
 * @param problem of a failed call to Spot it has the code of the transport error
 */
export function reasonOf ({ problem, status, details, code }: Problem & { code?: string | undefined }) {
  const { upstream, errors, detail } = details
  const all = (upstream?.errors ?? errors)?.map(({ code }) => code) ?? (code === undefined ? [] : [code])
  const codes = [...new Set(all)].slice(0, MOST_CODES).map((code) => code.slice(0, LONGEST_CODE))
  const isOurs = !upstream && !errors && (status === 401 || status === 403 || status >= 500)
  return {
    problem,
    ...isOurs && { detail },
    ...codes.length > 0 && { codes },
    ...upstream && { spotStatus: upstream.status, spotRequestId: upstream.requestId }
  }
}
