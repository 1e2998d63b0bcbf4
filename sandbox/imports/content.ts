import { derivedId } from '../ids.js'
import type { JsonObject } from '../protocol/json.js'

/** What a request says of the group; the rest comes from AWS. */
export interface ImportOptions {
  name: string | undefined
  region: string | undefined
  product: string | undefined
  spotInstanceTypes: string[]
  /** Default: one zone of the region. */
  availabilityZones?: JsonObject[]
  strategy: JsonObject
}

/** A group of one instance, imported from `origin`. Image and network, which only AWS knows, are made up from that. */
export function importedGroup (origin: string, options: ImportOptions): JsonObject {
  const { name = origin, region = 'us-east-1', product = 'Linux/UNIX', spotInstanceTypes: types } = options
  const madeUpId = (prefix: string) => derivedId(prefix, origin, 17)
  return {
    name,
    region,
    capacity: { target: 1, minimum: 1, maximum: 1, unit: 'instance' },
    strategy: { risk: 100, ...options.strategy, fallbackToOd: true },
    compute: {
      product,
      instanceTypes: { ondemand: 'm5.large', spot: types.length > 0 ? types : ['m5.large'] },
      availabilityZones: options.availabilityZones ?? [{ name: `${region}a`, subnetIds: [madeUpId('subnet')] }],
      launchSpecification: { imageId: madeUpId('ami'), securityGroupIds: [madeUpId('sg')], tags: [] }
    }
  }
}
