import { document, operationsOf, type OperationId } from './document.js'
import type { operations } from './types.js'

/** What every path of this server begins with. */
export const BASE = '/v1/spot'

export const DOCS_PATH = `${BASE}/docs`

type PathParameters<Id extends OperationId> =
  operations[Id]['parameters'] extends { path: infer P extends Record<string, string> } ? P : Record<string, never>

const paths = Object.fromEntries(operationsOf(document).map(({ operation: { operationId }, path }) =>
  [operationId, path])) as Record<OperationId, string>

/** Path of an operation on this server, with its parameters filled in. */
export const pathOf = <Id extends OperationId>(operationId: Id, parameters: PathParameters<Id>): string =>
  paths[operationId].replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent((parameters as Record<string, string>)[name] as string))

/** The same path in another account. */
export const inAccount = (path: string, account: string): string =>
  [BASE, encodeURIComponent(account), ...path.slice(BASE.length).split('/').slice(2)].join('/')

/** `/v1/spot/{account}` as Fastify writes it: `/v1/spot/:account`. */
export const routePath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1')
