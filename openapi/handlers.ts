import type { FastifyRequest } from 'fastify'
import type { OperationId } from './document.js'
import type { operations } from './types.js'

type Operation<Id extends OperationId> = operations[Id]
type Part<Parameters, In extends string> = Parameters extends { [K in In]?: infer P } ? NonNullable<P> : unknown
/** Node writes the names of headers in lower case. */
type LowerCase<H> = { [K in keyof H as Lowercase<K & string>]: H[K] }
type Body<O> = O extends { requestBody: { content: { 'application/json': infer B } } } ? B : undefined

/** A request that matches the contract: path, query, headers and body of its operation. */
export type Request<Id extends OperationId> = FastifyRequest<{
  Params: Part<Operation<Id>['parameters'], 'path'>
  Querystring: Part<Operation<Id>['parameters'], 'query'>
  Headers: LowerCase<Part<Operation<Id>['parameters'], 'header'>>
  Body: Body<Operation<Id>>
}>

type Success = 200 | 201 | 202 | 204
type Content<R> = R extends { content: infer C } ? { body: C[keyof C] } : { body?: never }
/** The headers the contract names; openapi-typescript adds an index signature for all others. */
type Named<H> = { [K in keyof H as string extends K ? never : number extends K ? never : K]: H[K] }
type AsText<H> = { [K in keyof H]: string }
type Headers<R> = R extends { headers: infer H }
  ? {} extends Named<H> ? { headers?: AsText<Named<H>> } : { headers: AsText<Named<H>> }
  : { headers?: Record<string, string> }

type Answer<Responses> = {
  [S in keyof Responses & Success]: { status: S } & Content<Responses[S]> & Headers<Responses[S]>
}[keyof Responses & Success]

/** A success the contract documents: its status, its headers, its body. Everything else is thrown as a Problem. */
export type Reply<Id extends OperationId> = Answer<Operation<Id>['responses']>

/** Answers one operation. What it needs of the server is on `request.server`. */
export type Handler<Id extends OperationId> = (request: Request<Id>) => Reply<Id> | Promise<Reply<Id>>

/** One handler an operation: a missing, an extra or a misnamed one does not compile. */
export type Handlers = { [Id in OperationId]: Handler<Id> }
