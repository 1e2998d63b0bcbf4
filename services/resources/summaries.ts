import type { components } from '../../openapi/types.js'

type Schemas = components['schemas']

/** Spot's value, if it has the type that the contract promises; else null. */
const text = (value: unknown) => typeof value === 'string' ? value : null
const whole = (value: unknown) => Number.isInteger(value) ? value as number : null

const tagsOf = (tags: unknown): Schemas['TagSummaries'] =>
  Array.isArray(tags)
    ? tags.map((tag: Schemas['Tag']) => ({ tagKey: text(tag?.tagKey), tagValue: text(tag?.tagValue) }))
    : []

/** What both lists show. Spot's objects sometimes lack keys that they had before; summaries never do. */
const common = (resource: Schemas['Elastigroup'] | Schemas['ManagedInstance']) => ({
  id: String(resource.id),
  name: text(resource.name),
  description: text(resource.description),
  region: text(resource.region),
  tags: tagsOf(resource.compute?.launchSpecification?.tags),
  createdAt: text(resource.createdAt),
  updatedAt: text(resource.updatedAt)
})

export const summaryOfElastigroup = (group: Schemas['Elastigroup']): Schemas['ElastigroupSummary'] => ({
  ...common(group),
  capacity: {
    minimum: whole(group.capacity?.minimum),
    target: whole(group.capacity?.target),
    maximum: whole(group.capacity?.maximum),
    unit: text(group.capacity?.unit)
  }
})

export const summaryOfManagedInstance = (
  instance: Schemas['ManagedInstance']
): Schemas['ManagedInstanceSummary'] => ({
  ...common(instance),
  preferredType: text(instance.compute?.launchSpecification?.instanceTypes?.preferredType)
})
