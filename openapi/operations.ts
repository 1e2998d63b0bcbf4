import { document, operationsOf, type OperationId } from './document.js'

/** What an operation does: reads, writes, or says something about this server to anybody. */
export type Kind = 'read' | 'write' | 'public'

/** What a client needs to be allowed. */
export type Need = 'read' | 'write' | 'delete'

/** What this server knows of an operation. It is the `config` of its route. */
export interface OperationRow {
  operationId: OperationId
  /** What it is about: its tag. */
  noun: string
  kind: Kind
  /** Null where no token is needed. */
  needs: Need | null
  /** Whether a setting says if it needs a token, which may be a bearer token then. */
  tokenOptional: boolean
  /** Whether its path names an account. */
  inAccount: boolean
  /** Whether it has a body. */
  hasBody: boolean
  /** Names of its query parameters. */
  query: string[]
  /** The read of the same path whose ETag an `If-Match` is compared with; null where none is compared. */
  ifMatch: OperationId | null
  /** Whether its answer has an ETag, with which an `If-None-Match` is compared. */
  ifNoneMatch: boolean
  /** Whether an `Idempotency-Key` makes it happen once, and its reply is given again. */
  replayable: boolean
  /** Whether guardrails judge it before it is sent. */
  guarded: boolean
  /** Whether each attempt has a line in the audit. */
  audited: boolean
}

const needs = { get: 'read', post: 'write', put: 'write', delete: 'delete' } as const

const rows = operationsOf(document).map(({ path, method, operation, parameters }): OperationRow => {
  const { operationId, tags: [noun], requestBody, security, 'x-access': access = needs[method] } = operation
  const isPublic = security !== undefined
  const takes = (header: string) => parameters.some(({ name }) => name === header)
  const kind = isPublic ? 'public' : method === 'get' ? 'read' : 'write'
  return {
    operationId,
    noun,
    kind,
    needs: isPublic ? null : access,
    tokenOptional: isPublic && security.length > 0,
    inAccount: path.includes('/{account}/'),
    hasBody: requestBody !== undefined,
    query: parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name),
    ifMatch: takes('If-Match') ? document.paths[path]?.get?.operationId ?? null : null,
    ifNoneMatch: takes('If-None-Match'),
    replayable: takes('Idempotency-Key'),
    guarded: kind === 'write',
    audited: kind === 'write'
  }
})

/**
 * The one table of operations, read from the document: a row each. Its extension `x-access` says what an operation
 * needs where its method does not.
 */
export const operations = Object.fromEntries(rows.map((row) => [row.operationId, row])) as
  Readonly<Record<OperationId, OperationRow>>
