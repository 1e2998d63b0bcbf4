// The responses that follow from what an operation is, and the header that each one with a token takes. redocly adds
// them when it bundles or lints the document. `paths/` names only what is an operation's own; that stays as it is.

const METHODS = ['get', 'post', 'put', 'delete']

const refersTo = (parameters = [], name) =>
  parameters.some(({ $ref }) => $ref?.endsWith(`parameters.yaml#/${name}Parameter`))

/** What is true of an operation → what it can answer then. Later rows win. */
const rows = [
  [() => true, { 400: 'BadRequest', 414: 'UriTooLong', 500: 'InternalError' }],
  [({ needsToken }) => needsToken, { 401: 'Unauthenticated', 429: 'TooManyRequests', 503: 'Unavailable' }],
  [({ inAccount }) => inAccount, { 403: 'Forbidden', 404: 'NotFound', 502: 'BadGateway', 504: 'GatewayTimeout' }],
  [({ inAccount, reads }) => inAccount && reads, { 304: 'NotModified' }],
  [({ reads }) => !reads, {
    412: 'DryRun', 413: 'ContentTooLarge', 415: 'UnsupportedMediaType', 422: 'Unprocessable'
  }],
  [({ takesIfMatch }) => takesIfMatch, { 412: 'DryRunOrPreconditionFailed' }],
  [({ takesKey }) => takesKey, { 409: 'Conflict', 422: 'UnprocessableWithKey' }]
]

const needsToken = ({ security }) => security?.length !== 0

function responsesOf (method, operation, item) {
  const facts = {
    reads: method === 'get',
    needsToken: needsToken(operation),
    inAccount: refersTo(item.parameters, 'Account'),
    takesIfMatch: refersTo(operation.parameters, 'IfMatch'),
    takesKey: refersTo(operation.parameters, 'IdempotencyKey')
  }
  const names = Object.assign({}, ...rows.filter(([applies]) => applies(facts)).map(([, names]) => names))
  return Object.fromEntries(Object.entries(names)
    .map(([status, name]) => [status, { $ref: `../responses.yaml#/${name}Response` }]))
}

const addParts = () => ({
  PathItem (item) {
    for (const method of METHODS) {
      const operation = item[method]
      if (!operation) continue
      operation.responses = { ...responsesOf(method, operation, item), ...operation.responses }
      const { parameters = [] } = operation
      // The generator of types reads the bundled document by the same rules: there it is already.
      const isThere = parameters.some(({ $ref }) => $ref?.endsWith('/ClientParameter'))
      if (needsToken(operation) && !isThere) {
        operation.parameters = [...parameters, { $ref: '../parameters.yaml#/ClientParameter' }]
      }
    }
  }
})

export default () => ({ id: 'spot-api', preprocessors: { oas3: { 'common-parts': addParts } } })
