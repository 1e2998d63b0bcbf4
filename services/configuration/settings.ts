import { ACCESSES } from '../access/clients.js'
import { guardrailsSchema } from '../guardrails/schema.js'
import { SPOT_ENDPOINT } from '../spot/wire/target.js'
import type { AccountInFile, ClientInFile, SettingName } from './configuration.js'
import { boolean, name, nonEmpty, numberBetween, objectOf, secret, string, type Setting } from './setting.js'

/** Account names that would collide with this server's own paths, such as /v1/spot/docs. */
export const RESERVED_NAMES = ['accounts', 'docs', 'metrics', 'openapi', 'ping', 'ready', 'version', 'whoami']

export const accountSettings = {
  id: { required: true, schema: name, doc: "Spot's id of the account." },
  token: { required: true, schema: secret, doc: "Spot's API token." },
  region: { schema: string, doc: 'AWS region: shown in the list of accounts, and assumed by guardrails.' },
  defaultVPC: { schema: nonEmpty, doc: 'VPC of a new managed instance that names none.' },
  endpoint: { schema: nonEmpty, default: SPOT_ENDPOINT, doc: 'Base URL of Spot; https, except on loopback.' },
  marker: { schema: boolean, default: true, doc: 'Tag creates that have an `Idempotency-Key`, to find them again.' },
  organization: {
    schema: nonEmpty, doc: 'Organization whose rate limit applies. Default: accounts that share a token.'
  },
  guardrails: { schema: guardrailsSchema, doc: 'Limits for every write in this account.' }
} satisfies Record<keyof AccountInFile, Setting>

export const clientSettings = {
  name: { required: true, schema: name, doc: 'Name in `X-Auth-Client`, the log, the audit and the metrics.' },
  key: {
    required: true,
    // Not anyOf, which would report what is wrong with an element for the whole, too.
    schema: { ...secret, type: [...secret.type, 'array'], minItems: 1, maxItems: 2, items: secret },
    doc: 'Its key, 16 to 72 bytes; a list of two while one replaces the other.'
  },
  accounts: {
    required: true,
    schema: { type: 'array', minItems: 1, items: nonEmpty },
    doc: 'Names of the accounts that it may use; `["*"]` for all.'
  },
  access: { required: true, schema: { enum: ACCESSES }, doc: '`read`, `write` or `admin`.' },
  expires: { schema: string, doc: 'When its keys stop working: a date (from 00:00 UTC) or a date-time.' },
  allowDelete: { schema: boolean, doc: 'Whether it may delete. Default: only with the access `admin`.' },
  guardrails: { schema: guardrailsSchema, doc: 'Limits for its writes, beside those of the account.' }
} satisfies Record<keyof ClientInFile, Setting>

/** Every setting of the file by its name; `outer.inner` is inside an object. */
export const settings = {
  accounts: {
    required: true,
    live: true,
    schema: {
      type: 'object',
      minProperties: 1,
      propertyNames: { pattern: name.pattern, not: { enum: RESERVED_NAMES } },
      additionalProperties: objectOf(accountSettings)
    },
    doc: 'Spot accounts by the name in the path, see [Accounts](#accounts).'
  },
  token: {
    live: true,
    property: 'clients',
    schema: secret,
    doc: 'The pre-shared key of the client `default`, which may do everything; 16 to 72 bytes.'
  },
  clients: {
    live: true,
    default: [],
    schema: { type: 'array', items: objectOf(clientSettings) },
    doc: 'Clients with a key and rights of their own, see [Clients](#clients).'
  },
  org: {
    live: true,
    property: 'organizationTag',
    schema: nonEmpty,
    doc: 'Value of the tag `spinup:org` that every create gets.'
  },
  listenAddress: {
    property: 'listen', schema: string, default: ':8080', doc: '`HOST:PORT`; `:PORT` listens on every IPv4 address.'
  },
  keysTried: {
    schema: { type: 'integer', minimum: 1, maximum: 20 },
    default: 4,
    doc: 'Keys to try for a new token whose caller does not name its client. Each costs a bcrypt check.'
  },
  trustedProxies: {
    schema: { type: 'array', items: string },
    default: [],
    doc: 'Load balancers whose `X-Forwarded-For` is believed: addresses, or networks such as `10.0.0.0/8`.'
  },
  metrics: {
    live: true,
    schema: { enum: ['public', 'token'] },
    default: 'public',
    doc: 'Who gets the metrics: `public` for everybody, `token` for those with a token of any client.'
  },
  cors: {
    schema: { type: 'array', items: string },
    default: [],
    doc: 'Origins whose pages may call this server from a browser, such as `https://portal.example.org`.'
  },
  maxRequests: {
    schema: { type: 'integer', minimum: 1 }, default: 1000, doc: 'Requests in progress at once; more are answered 503.'
  },
  share: {
    schema: { type: 'number', exclusiveMinimum: 0, maximum: 1 },
    default: 0.5,
    doc: "Part of Spot's rate limit for a route that one of several clients may use; above 0, at most 1."
  },
  'deadlines.readSeconds': { schema: numberBetween(0.1, 600), default: 10, doc: 'Seconds that a read may take.' },
  'deadlines.writeSeconds': { schema: numberBetween(0.1, 600), default: 60, doc: 'Seconds that a write may take.' },
  'reads.freshFor': {
    schema: numberBetween(0, 3600), default: 1, doc: 'Seconds that an answer to a read is served again from memory.'
  },
  'reads.staleFor': {
    schema: numberBetween(0, 86_400),
    default: 60,
    doc: 'Seconds that an answer may be served while Spot cannot be asked.'
  },
  settleSeconds: {
    property: 'settle',
    schema: numberBetween(0.1, 3600),
    default: 15,
    doc: 'Seconds after a failed create in which Spot may still carry it out.'
  },
  'state.directory': {
    schema: nonEmpty,
    default: 'state',
    doc: 'Directory for what must survive a restart, unless `state.redis` is set; see [State](#state).'
  },
  'state.redis': { schema: secret, doc: 'URL of a Redis that several servers share.' },
  audit: {
    schema: {
      type: ['string', 'object'],
      pattern: '^stdout$',
      required: ['file'],
      additionalProperties: false,
      properties: { file: nonEmpty }
    },
    default: 'stdout',
    doc: 'Where each write is recorded: `"stdout"`, or `{"file": "audit.log"}`.'
  },
  logLevel: {
    schema: { enum: ['trace', 'debug', 'info', 'warn', 'warning', 'error', 'fatal', 'panic', 'silent'] },
    default: 'info',
    doc: '`trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`.'
  },
  drainSeconds: {
    schema: numberBetween(0, 600),
    default: 5,
    doc: 'Seconds after SIGTERM in which requests are still accepted, so that load balancers notice.'
  },
  source: {
    schema: nonEmpty, doc: 'Where you offer your source, if you changed it (AGPL); shown by the operation `getVersion`.'
  }
} satisfies Record<SettingName, Setting>
