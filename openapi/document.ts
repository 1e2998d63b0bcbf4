import { createRequire } from 'node:module'
import type { operations } from './types.js'

/** The operations of the contract. */
export type OperationId = keyof operations

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required?: boolean
  schema: object
}

interface Response {
  content?: Record<string, { schema: object }>
  headers?: Record<string, { required?: boolean } | Reference>
}

export interface Operation {
  operationId: OperationId
  tags: [string]
  /** What a client needs, where the method does not say it. */
  'x-access'?: 'write' | 'delete'
  security?: object[]
  parameters?: (Parameter | Reference)[]
  requestBody?: { content: { 'application/json': { schema: object } } }
  responses: Record<string, Response | Reference>
}

export interface Reference { $ref: string }

export const METHODS = ['get', 'post', 'put', 'delete'] as const

export type PathItem = { parameters?: (Parameter | Reference)[] } & { [M in typeof METHODS[number]]?: Operation }

/** The parts of the contract that this server reads. */
export interface Document {
  openapi: string
  info: { title: string, version: string }
  paths: Record<string, PathItem>
  components: { schemas: Record<string, object> }
}

/** The contract: `spot-api.yaml` and what it refers to, bundled by `npm run generate`. */
export const document: Document = createRequire(import.meta.url)('spot-api/openapi.json')

/** What a reference into the contract (`#/components/…`) stands for. */
export function resolve<T extends object> (value: T | Reference): T {
  if (!('$ref' in value)) return value
  const names = value.$ref.slice(2).split('/').map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
  return names.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], document) as T
}

/** Every operation with its path, as OpenAPI writes it (`/v1/spot/{account}`), and all its parameters. */
export function operationsOf (document: Document) {
  return Object.entries(document.paths).flatMap(([path, item]) => METHODS.flatMap((method) => {
    const operation = item[method]
    if (!operation) return []
    const parameters = [...item.parameters ?? [], ...operation.parameters ?? []].map((parameter) => resolve(parameter))
    return [{ path, method, operation, parameters }]
  }))
}
