import type { Ajv } from 'ajv'

/** JSON that is not what it should be; the message says where and why. */
export class InvalidJson extends Error {}

let ajv: Ajv | undefined

/**
 * Checks `value` against a JSON Schema. Ajv is loaded here, as a start does not need it.
 * @throws InvalidJson with the JSON pointer of the first fault
 */
export async function check (schema: object, value: unknown): Promise<void> {
  ajv ??= new (await import('ajv')).Ajv({ allowUnionTypes: true })
  const validate = ajv.compile(schema)
  if (validate(value)) return
  const [{ instancePath = '', message = '', params = {} } = {}] = validate.errors ?? []
  const which = params.additionalProperty ?? params.allowedValues ?? params.allowedValue
  throw new InvalidJson(`${instancePath || 'The whole'} ${message}${which === undefined ? '' : `: ${which}`}`)
}
