import type { Rule } from '../protocol/validation.js'

/** Fields of a managed instance that the sandbox checks. What is required: vendor OpenAPI. */
export const MANAGED_INSTANCE_RULES: Rule[] = [
  { path: 'name', type: 'string', required: true },
  { path: 'region', type: 'string', required: true },
  { path: 'description', type: 'string' },
  { path: 'strategy', type: 'object' },
  { path: 'strategy.lifeCycle', type: 'string', oneOf: ['spot', 'on_demand'] },
  {
    path: 'strategy.orientation',
    type: 'string',
    oneOf: ['costOriented', 'availabilityOriented', 'balanced', 'cheapest']
  },
  { path: 'strategy.drainingTimeout', type: 'integer' },
  { path: 'strategy.fallbackToOd', type: 'boolean' },
  { path: 'strategy.revertToSpot', type: 'object' },
  { path: 'strategy.revertToSpot.performAt', type: 'string', oneOf: ['always', 'never', 'timeWindow'] },
  { path: 'persistence', type: 'object' },
  { path: 'persistence.persistPrivateIp', type: 'boolean' },
  { path: 'persistence.persistBlockDevices', type: 'boolean' },
  { path: 'persistence.persistRootDevice', type: 'boolean' },
  { path: 'persistence.blockDevicesMode', type: 'string', oneOf: ['reattach', 'onLaunch'] },
  { path: 'healthCheck', type: 'object' },
  { path: 'healthCheck.autoHealing', type: 'boolean' },
  { path: 'healthCheck.gracePeriod', type: 'integer' },
  { path: 'healthCheck.unhealthyDuration', type: 'integer' },
  { path: 'compute', type: 'object', required: true },
  { path: 'compute.subnetIds', type: 'array', required: true },
  { path: 'compute.vpcId', type: 'string', required: true },
  { path: 'compute.product', type: 'string' },
  { path: 'compute.privateIp', type: 'string' },
  { path: 'compute.launchSpecification', type: 'object' },
  { path: 'compute.launchSpecification.imageId', type: 'string' },
  { path: 'compute.launchSpecification.instanceTypes', type: 'object' },
  { path: 'compute.launchSpecification.instanceTypes.preferredType', type: 'string' },
  { path: 'compute.launchSpecification.instanceTypes.types', type: 'array' },
  { path: 'compute.launchSpecification.securityGroupIds', type: 'array' },
  { path: 'compute.launchSpecification.networkInterfaces', type: 'array' },
  { path: 'compute.launchSpecification.keyPair', type: 'string' },
  { path: 'compute.launchSpecification.userData', type: 'string' },
  { path: 'compute.launchSpecification.shutdownScript', type: 'string' },
  { path: 'compute.launchSpecification.tags', type: 'array' },
  { path: 'compute.launchSpecification.tags[]', type: 'object' },
  { path: 'compute.launchSpecification.tags[].tagKey', type: 'string' },
  { path: 'compute.launchSpecification.tags[].tagValue', type: 'string' },
  { path: 'integrations', type: 'object' },
  { path: 'scheduling', type: 'object' },
  { path: 'scheduling.tasks', type: 'array' }
]

/** These cannot change after creation. Source: Terraform provider; region is inferred. */
export const MANAGED_INSTANCE_IMMUTABLE = ['compute.product', 'region']
