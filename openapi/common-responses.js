// The responses that follow from what an operation is. redocly adds them when it bundles or lints the document, so that
// `paths/` names only those that are an operation's own. What an operation names itself stays as it is.

const METHODS = ['get', 'post', 'put', 'delete']

const refersTo = (parameters = [], name) => parameters.some(({ $ref }) => $ref?.endsWith(`parameters.yaml#/${name}`))

/** What is true of an operation → what it can answer then. Later rows win. */
const rows = [
  [() => true, { 400: 'BadRequest', 500: 'InternalError' }],
  [({ needsToken }) => needsToken, { 401: 'Unauthenticated', 429: 'TooManyRequests', 503: 'Unavailable' }],
  [({ inAccount }) => inAccount, { 403: 'Forbidden', 404: 'NotFound', 502: 'BadGateway', 504: 'GatewayTimeout' }],
  [({ inAccount, reads }) => inAccount && reads, { 304: 'NotModified' }],
  [({ reads }) => !reads, {
    412: 'DryRun', 413: 'ContentTooLarge', 415: 'UnsupportedMediaType', 422: 'Unprocessable'
  }],
  [({ takesIfMatch }) => takesIfMatch, { 412: 'DryRunOrPreconditionFailed' }],
  [({ takesKey }) => takesKey, { 409: 'Conflict', 422: 'UnprocessableWithKey' }]
]

function responsesOf (method, operation, item) {
  const facts = {
    reads: method === 'get',
    needsToken: operation.security?.length !== 0,
    inAccount: refersTo(item.parameters, 'Account'),
    takesIfMatch: refersTo(operation.parameters, 'IfMatch'),
    takesKey: refersTo(operation.parameters, 'IdempotencyKey')
  }
  const names = Object.assign({}, ...rows.filter(([applies]) => applies(facts)).map(([, names]) => names))
  return Object.fromEntries(Object.entries(names)
    .map(([status, name]) => [status, { $ref: `../responses.yaml#/${name}` }]))
}

const addResponses = () => ({
  PathItem (item) {
    for (const method of METHODS) {
      const operation = item[method]
      if (operation) operation.responses = { ...responsesOf(method, operation, item), ...operation.responses }
    }
  }
})

export default () => ({ id: 'spot-api', preprocessors: { oas3: { 'common-responses': addResponses } } })
