import { resolve, type Operation } from '../openapi/document.js'

interface Media { example?: unknown, examples?: Record<string, { value: unknown } | { $ref: string }> }

/** An elastigroup of two instances, and at most four, and a managed instance: bodies that a create accepts. */
export const validGroup = {
  name: 'web',
  region: 'us-east-1',
  strategy: { risk: 100, fallbackToOd: false },
  capacity: { minimum: 0, target: 2, maximum: 4, unit: 'instance' },
  compute: {
    product: 'Linux/UNIX',
    instanceTypes: { ondemand: 't3.micro', spot: ['t3.micro'] },
    launchSpecification: { tags: [{ tagKey: 'team', tagValue: 'web' }] }
  }
}
export const validInstance = {
  name: 'db',
  region: 'us-east-1',
  compute: {
    subnetIds: ['subnet-1'],
    vpcId: 'vpc-1',
    launchSpecification: { instanceTypes: { preferredType: 't3.micro', types: ['t3.micro'] } }
  }
}

/** Queries of the operations that require one. */
const queries: Record<string, string> = { deleteSuspensions: '?process=AUTO_SCALE' }

/** A call that matches the contract: the first example of the body, and the query where one is required. */
export function validCall ({ operationId, requestBody }: Operation): { query: string, body: unknown } {
  const media = requestBody?.content['application/json'] as Media | undefined
  const [first] = Object.values(media?.examples ?? {})
  const body = media?.example ?? (first && resolve(first).value)
  return { query: queries[operationId] ?? '', body: structuredClone(body) }
}
