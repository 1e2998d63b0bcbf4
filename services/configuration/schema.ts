import { ACCESSES } from '../access/clients.js'
import { guardrailsSchema } from '../guardrails/schema.js'

/** Names of accounts that would stand where this server has paths of its own. */
export const RESERVED_NAMES = ['accounts', 'docs', 'metrics', 'openapi', 'ping', 'ready', 'version', 'whoami']

/** What names of accounts and of clients look like. */
export const names = '^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$'

/** A text, or where to find it: `{"env": "NAME"}` or `{"file": "path"}`. */
export const secret = {
  type: ['string', 'object'],
  minLength: 1,
  properties: { env: { type: 'string', minLength: 1 }, file: { type: 'string', minLength: 1 } },
  additionalProperties: false,
  minProperties: 1,
  maxProperties: 1
}

const clients = {
  type: 'array',
  items: {
    type: 'object',
    required: ['name', 'key', 'accounts', 'access'],
    additionalProperties: false,
    properties: {
      name: { type: 'string', pattern: names },
      key: { anyOf: [secret, { type: 'array', minItems: 1, maxItems: 2, items: secret }] },
      accounts: { type: 'array', minItems: 1, items: { type: 'string', minLength: 1 } },
      access: { enum: ACCESSES },
      expires: { type: 'string' },
      allowDelete: { type: 'boolean' },
      guardrails: guardrailsSchema
    }
  }
}

/** JSON Schema of the configuration file. The earlier Go service's file is valid. */
export const schema = {
  type: 'object',
  required: ['accounts'],
  anyOf: [{ required: ['token'] }, { required: ['clients'] }],
  additionalProperties: false,
  properties: {
    listenAddress: { type: 'string' },
    accounts: {
      type: 'object',
      minProperties: 1,
      propertyNames: { pattern: names, not: { enum: RESERVED_NAMES } },
      additionalProperties: {
        type: 'object',
        required: ['id', 'token'],
        additionalProperties: false,
        properties: {
          id: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$' },
          token: secret,
          region: { type: 'string' },
          defaultVPC: { type: 'string', minLength: 1 },
          endpoint: { type: 'string', minLength: 1 },
          marker: { type: 'boolean' },
          organization: { type: 'string', minLength: 1 },
          guardrails: guardrailsSchema
        }
      }
    },
    token: secret,
    clients,
    keysTried: { type: 'integer', minimum: 1, maximum: 20 },
    trustedProxies: { type: 'array', items: { type: 'string' } },
    maxRequests: { type: 'integer', minimum: 1 },
    share: { type: 'number', exclusiveMinimum: 0, maximum: 1 },
    logLevel: { enum: ['trace', 'debug', 'info', 'warn', 'warning', 'error', 'fatal', 'panic', 'silent'] },
    org: { type: 'string', minLength: 1 },
    deadlines: {
      type: 'object',
      additionalProperties: false,
      properties: {
        readSeconds: { type: 'number', minimum: 0.1, maximum: 600 },
        writeSeconds: { type: 'number', minimum: 0.1, maximum: 600 }
      }
    },
    state: {
      type: 'object',
      additionalProperties: false,
      properties: { directory: { type: 'string', minLength: 1 }, redis: secret },
      maxProperties: 1
    },
    reads: {
      type: 'object',
      additionalProperties: false,
      properties: {
        freshFor: { type: 'number', minimum: 0, maximum: 3600 },
        staleFor: { type: 'number', minimum: 0, maximum: 86_400 }
      }
    },
    settleSeconds: { type: 'number', minimum: 0.1, maximum: 3600 },
    audit: {
      type: ['string', 'object'],
      pattern: '^stdout$',
      required: ['file'],
      additionalProperties: false,
      properties: { file: { type: 'string', minLength: 1 } }
    },
    source: { type: 'string', minLength: 1 },
    drainSeconds: { type: 'number', minimum: 0, maximum: 600 }
  }
}
