import { resolve, type Operation } from '../openapi/document.js'

interface Media { example?: unknown, examples?: Record<string, { value: unknown } | { $ref: string }> }

/** Queries of the operations that require one. */
const queries: Record<string, string> = { deleteSuspensions: '?process=AUTO_SCALE' }

/** A call that matches the contract: the first example of the body, and the query where one is required. */
export function validCall ({ operationId, requestBody }: Operation): { query: string, body: unknown } {
  const media = requestBody?.content['application/json'] as Media | undefined
  const [first] = Object.values(media?.examples ?? {})
  const body = media?.example ?? (first && resolve(first).value)
  return { query: queries[operationId] ?? '', body: structuredClone(body) }
}
