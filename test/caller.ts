import { faultsOfReply } from './contract-check.js'

/** Elastigroups as callers from outside make them, of a gateway whose account is `demo`. */
export const groups = '/v1/spot/demo/elastigroups'
export const group = (name: string) =>
  ({ name, strategy: {}, capacity: { minimum: 0, target: 0, maximum: 1 }, compute: {} })

/** What a caller was answered: `retryAfter` in seconds, `path` of what was created. */
export interface Asked { status: number, retryAfter: number, path: string, type: string, body: { id?: string } }

/** One request over HTTP. Each answer must be a documented one; status 0 where the connection broke. */
export async function ask (
  { url, token }: { url: string, token: string }, method: string, path: string, body?: object, key?: string
): Promise<Asked> {
  try {
    const response = await fetch(url + path, {
      method,
      headers: { 'x-auth-token': token, 'content-type': 'application/json', ...key && { 'idempotency-key': key } },
      body: body ? JSON.stringify(body) : null
    })
    const text = await response.text()
    const { status, headers } = response
    const json = text === '' ? undefined : JSON.parse(text)
    const faults = faultsOfReply(method, path, { status, headers: Object.fromEntries(headers), text, json })
    if (faults.length > 0) throw new Error(`${status}: ${faults.join('; ')}`)
    const retryAfter = Number(headers.get('retry-after') ?? 0)
    return { status, retryAfter, path: headers.get('location') ?? '', type: json?.type ?? '', body: json }
  } catch (error) {
    if (error instanceof TypeError) return { status: 0, retryAfter: 0, path: '', type: '', body: {} } // of fetch
    throw error
  }
}

/** Ids of the groups that Spot has, by name. */
export async function spotHas (
  endpoint: string, { id, token }: { id: string, token: string }
): Promise<Map<string, string[]>> {
  const response = await fetch(`${endpoint}/aws/ec2/group?accountId=${id}`, {
    headers: { authorization: `Bearer ${token}` }
  })
  const { response: { items } } = await response.json() as { response: { items: { id: string, name: string }[] } }
  return items.reduce((by, { id, name }) => by.set(name, [...by.get(name) ?? [], id]), new Map<string, string[]>())
}
