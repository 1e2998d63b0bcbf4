import { resolve, type Operation, type Parameter } from './document.js'

/** The components of the document are known to the validator once, under this id; references lead there. */
export const COMPONENTS = 'spot-api'

/** The parts of a request that have a schema, by the names that Fastify has for them. */
export type RequestPart = 'params' | 'querystring' | 'headers' | 'body'

/** The schemas of an operation's requests. */
export const requestSchemas = ({ requestBody }: Operation, parameters: Parameter[]) => ({
  params: parametersSchema(parameters, 'path'),
  querystring: parametersSchema(parameters, 'query'),
  ...parameters.some((parameter) => parameter.in === 'header') && { headers: parametersSchema(parameters, 'header') },
  ...requestBody && { body: absolute(requestBody.content['application/json'].schema) }
})

/**
 * Parameters of one kind as one object, closed save for headers: a misspelt one is refused, not ignored. Node has the
 * names of headers in lower case. `integers` are those that must be written in decimal.
 */
function parametersSchema (all: Parameter[], kind: Parameter['in']) {
  const named = all.filter((parameter) => parameter.in === kind)
  const nameOf = ({ name }: Parameter) => kind === 'header' ? name.toLowerCase() : name
  return {
    type: 'object',
    properties: Object.fromEntries(named.map((parameter) => [nameOf(parameter), absolute(parameter.schema)])),
    required: named.filter(({ required }) => required).map(nameOf),
    integers: named.filter(({ schema }) => isInteger(schema)).map(nameOf),
    additionalProperties: kind === 'header'
  }
}

const isInteger = (schema: { type?: string }) => resolve(schema).type === 'integer'

const absolute = (schema: object) =>
  '$ref' in schema ? { $ref: `${COMPONENTS}${String(schema.$ref)}` } : schema
