import { documentRules } from '../protocol/document.js'

/** What the sandbox checks of a managed instance beside the project's document. Source: vendor OpenAPI. */
export const managedInstanceRules = documentRules('ManagedInstanceCreate', [
  { path: 'name', type: 'string', nullable: false },
  { path: 'region', type: 'string', nullable: false },
  { path: 'compute', type: 'object', nullable: false },
  { path: 'strategy.lifeCycle', type: 'string', oneOf: ['spot', 'on_demand'] },
  {
    path: 'strategy.orientation',
    type: 'string',
    oneOf: ['costOriented', 'availabilityOriented', 'balanced', 'cheapest']
  },
  { path: 'strategy.revertToSpot.performAt', type: 'string', oneOf: ['always', 'never', 'timeWindow'] },
  { path: 'persistence.blockDevicesMode', type: 'string', oneOf: ['reattach', 'onLaunch'] },
  { path: 'compute.subnetIds', type: 'array', required: true },
  { path: 'compute.vpcId', type: 'string', required: true }
])

/** These cannot change after creation. Source: Terraform provider; region is inferred. */
export const MANAGED_INSTANCE_IMMUTABLE = ['compute.product', 'region']
