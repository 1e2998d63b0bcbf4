import { objectOf } from './setting.js'
import { settings } from './settings.js'

const { properties, ...rest } = objectOf(settings)
const state = { ...properties.state, maxProperties: 1 }

/** JSON Schema of the configuration file. The earlier Go service's file is valid. */
export const schema = {
  ...rest,
  anyOf: [{ required: ['token'] }, { required: ['clients'] }],
  properties: { ...properties, state } as typeof properties
}
