import { ELASTIGROUP } from './elastigroups/engine.js'
import { startRoll } from './rolls/engine.js'
import { MANAGED_INSTANCE } from './managed-instances/engine.js'
import type { JsonObject } from './protocol/json.js'
import { add } from './resources/engine.js'
import type { Noun } from './resources/engine.js'
import type { Resource } from './resources/model.js'
import { catchUp } from './tasks.js'
import type { Account } from './world.js'

const DAY_MS = 86_400_000

/**
 * Fills an account with four groups, one of them stateful, and two managed instances. At `now` they have been running
 * for weeks: their past is simulated.
 */
export function seed (account: Account, now: number): void {
  for (const [id, days, content] of GROUPS) addSeed(account, ELASTIGROUP, id, now - days * DAY_MS, content)
  for (const [id, days, content] of MANAGED_INSTANCES) {
    addSeed(account, MANAGED_INSTANCE, id, now - days * DAY_MS, content)
  }
  const group = account.groups.get(ROLLED)
  if (group !== undefined) startRoll(group, ROLL, 25, wholeSeconds(now - 9.2 * DAY_MS))
  catchUp(account, now)
}

function addSeed<R extends Resource> (
  account: Account, noun: Noun<R>, id: string, createdAt: number, content: JsonObject
): void {
  const resource = add(noun, account, id, content, wholeSeconds(createdAt))
  const updatedAt = resource.createdAt + 3 * DAY_MS + 754_000
  catchUp(account, updatedAt)
  resource.updatedAt = updatedAt
  noun.afterUpdate(resource, updatedAt, {})
}

/** The vendor's dates fall on whole seconds. */
function wholeSeconds (time: number): number {
  return Math.floor(time / 1000) * 1000
}

/** The group that was rolled, and the roll's options. */
const ROLLED = 'sig-0f3ac1d2'
const ROLL = {
  gracePeriod: 180,
  healthCheckType: 'TARGET_GROUP',
  drainingTimeout: 120,
  action: 'REPLACE_SERVER',
  batchMinHealthyPercentage: 50,
  onFailure: undefined
} as const

function tags (values: Record<string, string>): { tagKey: string, tagValue: string }[] {
  return Object.entries(values).map(([tagKey, tagValue]) => ({ tagKey, tagValue }))
}

/** Id, age in days, content. */
type SeedEntry = readonly [string, number, JsonObject]

const GROUPS: SeedEntry[] = [
  ['sig-0f3ac1d2', 47.31, {
    name: 'web-frontend',
    description: 'Public web servers behind the load balancer',
    region: 'us-east-1',
    capacity: { target: 4, minimum: 2, maximum: 12, unit: 'instance' },
    strategy: {
      risk: 100,
      onDemandCount: 1,
      availabilityVsCost: 'availabilityOriented',
      drainingTimeout: 120,
      fallbackToOd: true,
      utilizeReservedInstances: false,
      revertToSpot: { performAt: 'always' },
      scalingStrategy: { terminationPolicy: 'newestInstance' }
    },
    compute: {
      product: 'Linux/UNIX',
      instanceTypes: { ondemand: 'm5.large', spot: ['m5.large', 'm5a.large', 'm6i.large', 'm6a.large'] },
      availabilityZones: [
        { name: 'us-east-1a', subnetIds: ['subnet-0a41c9d27be35f806'] },
        { name: 'us-east-1b', subnetIds: ['subnet-0b72e8f16ad94c530'] }
      ],
      launchSpecification: {
        imageId: 'ami-0c101f26f147fa7fd',
        keyPair: 'web-team',
        securityGroupIds: ['sg-04d1f7a9c3b2e8560'],
        iamRole: { name: 'web-frontend', arn: 'arn:aws:iam::123456789012:instance-profile/web-frontend' },
        healthCheckType: 'TARGET_GROUP',
        healthCheckGracePeriod: 180,
        loadBalancersConfig: {
          loadBalancers: [{
            name: 'web-frontend',
            arn: 'arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web-frontend/73e2d6bc24d8a067',
            type: 'TARGET_GROUP'
          }]
        },
        ebsOptimized: true,
        monitoring: true,
        tenancy: 'default',
        tags: tags({ Name: 'web-frontend', Environment: 'production', Team: 'web' })
      }
    },
    scaling: {
      up: [{
        policyName: 'busy',
        namespace: 'AWS/EC2',
        metricName: 'CPUUtilization',
        statistic: 'average',
        unit: 'percent',
        threshold: 65,
        operator: 'gte',
        period: 300,
        evaluationPeriods: 2,
        cooldown: 300,
        action: { type: 'adjustment', adjustment: '2' }
      }],
      down: null
    },
    scheduling: {},
    thirdPartiesIntegration: {}
  }],
  ['sig-7b19e64a', 31.08, {
    name: 'batch-workers',
    description: 'Nightly imports and reports',
    region: 'us-east-1',
    capacity: { target: 3, minimum: 0, maximum: 40, unit: 'instance' },
    strategy: {
      risk: 100,
      onDemandCount: null,
      availabilityVsCost: 'cheapest',
      drainingTimeout: 300,
      fallbackToOd: true,
      revertToSpot: { performAt: 'always' },
      persistence: {}
    },
    compute: {
      product: 'Linux/UNIX',
      instanceTypes: { ondemand: 'c5.2xlarge', spot: ['c5.2xlarge', 'c5a.2xlarge', 'c6i.2xlarge'] },
      availabilityZones: [
        { name: 'us-east-1a', subnetIds: ['subnet-0a41c9d27be35f806'] },
        { name: 'us-east-1c', subnetIds: ['subnet-0c53a1b98ef2d6417'] }
      ],
      launchSpecification: {
        imageId: 'ami-0e2c8caa4b6378d8c',
        keyPair: null,
        securityGroupIds: ['sg-0b6a8d5e2f914c37a'],
        healthCheckType: 'EC2',
        ebsOptimized: true,
        monitoring: false,
        tags: tags({ Name: 'batch-workers', Environment: 'production', Team: 'data' })
      }
    },
    scaling: { up: null, down: null },
    scheduling: {
      tasks: [{ isEnabled: true, taskType: 'scale', cronExpression: '0 1 * * *', scaleTargetCapacity: 12 }]
    },
    thirdPartiesIntegration: {}
  }],
  ['sig-c5d80e93', 12.64, {
    name: 'ci-runners',
    description: 'Builds and tests of every branch',
    region: 'us-west-2',
    capacity: { target: 2, minimum: 0, maximum: 20, unit: 'instance' },
    strategy: {
      risk: 100,
      onDemandCount: 0,
      availabilityVsCost: 'balanced',
      drainingTimeout: 0,
      fallbackToOd: false
    },
    compute: {
      product: 'Linux/UNIX',
      instanceTypes: { ondemand: null, onDemandTypes: ['t3a.xlarge', 't3.xlarge'], spot: ['t3a.xlarge', 't3.xlarge'] },
      availabilityZones: [{ name: 'us-west-2b', subnetIds: ['subnet-0d94f02c6ab718e35'] }],
      launchSpecification: {
        imageId: 'ami-05134c8ef96964280',
        keyPair: 'build-team',
        securityGroupIds: ['sg-09c8e7f6d5b4a3210'],
        ebsOptimized: false,
        monitoring: false,
        creditSpecification: { cpuCredits: 'unlimited' },
        tags: tags({ Name: 'ci-runners', Environment: 'development', Team: 'build' })
      }
    },
    scaling: {},
    scheduling: {},
    thirdPartiesIntegration: {}
  }],
  ['sig-2d6c90b8', 26.42, {
    name: 'search-index',
    description: 'Keeps disks and addresses of its instances through every replacement',
    region: 'us-east-1',
    capacity: { target: 2, minimum: 0, maximum: 4, unit: 'instance' },
    strategy: {
      risk: 100,
      onDemandCount: 0,
      availabilityVsCost: 'availabilityOriented',
      drainingTimeout: 60,
      fallbackToOd: true,
      revertToSpot: { performAt: 'never' },
      persistence: {
        shouldPersistRootDevice: true,
        shouldPersistBlockDevices: true,
        shouldPersistPrivateIp: true,
        blockDevicesMode: 'reattach'
      }
    },
    compute: {
      product: 'Linux/UNIX',
      instanceTypes: { ondemand: 'r5.large', spot: ['r5.large', 'r5a.large', 'r6i.large'] },
      availabilityZones: [{ name: 'us-east-1a', subnetIds: ['subnet-0a41c9d27be35f806'] }],
      launchSpecification: {
        imageId: 'ami-0c101f26f147fa7fd',
        keyPair: 'data-team',
        securityGroupIds: ['sg-0d2c4b6a8f1e35790'],
        healthCheckType: 'EC2',
        ebsOptimized: true,
        monitoring: false,
        blockDeviceMappings: [{ deviceName: '/dev/sdf', ebs: { volumeType: 'gp3', volumeSize: 200, encrypted: true } }],
        tags: tags({ Name: 'search-index', Environment: 'production', Team: 'data' })
      }
    },
    scaling: {},
    scheduling: {},
    thirdPartiesIntegration: {}
  }]
]

const MANAGED_INSTANCES: SeedEntry[] = [
  ['smi-4e8b21f7', 63.52, {
    name: 'license-server',
    description: 'Keeps its address and its disks through every replacement',
    region: 'us-east-1',
    strategy: { lifeCycle: 'on_demand', orientation: 'availabilityOriented', revertToSpot: { performAt: 'never' } },
    persistence: {
      persistPrivateIp: true,
      persistBlockDevices: true,
      persistRootDevice: true,
      blockDevicesMode: 'reattach'
    },
    healthCheck: { type: 'EC2', autoHealing: true, gracePeriod: 180, unhealthyDuration: 120 },
    compute: {
      product: 'Linux/UNIX',
      subnetIds: ['subnet-0a41c9d27be35f806'],
      vpcId: 'vpc-0f5d1c7e9a3b86420',
      privateIp: '172.31.14.20',
      launchSpecification: {
        imageId: 'ami-0c101f26f147fa7fd',
        keyPair: 'operations',
        securityGroupIds: ['sg-0e7d6c5b4a3928170'],
        instanceTypes: { preferredType: 't3.medium', types: ['t3.medium', 't3a.medium'] },
        creditSpecification: { cpuCredits: 'standard' },
        tags: tags({ Name: 'license-server', Environment: 'production', Team: 'operations' })
      }
    },
    integrations: {},
    scheduling: {}
  }],
  ['smi-a90c3d58', 20.17, {
    name: 'analyst-workstation',
    description: 'Notebook server, paused at night',
    region: 'us-east-1',
    strategy: { lifeCycle: 'spot', orientation: 'balanced', fallbackToOd: true, revertToSpot: { performAt: 'always' } },
    persistence: {
      persistPrivateIp: true,
      persistBlockDevices: true,
      persistRootDevice: true,
      blockDevicesMode: 'onLaunch'
    },
    healthCheck: { type: 'EC2', autoHealing: true, gracePeriod: 120, unhealthyDuration: 120 },
    compute: {
      product: 'Linux/UNIX',
      subnetIds: ['subnet-0a41c9d27be35f806', 'subnet-0b72e8f16ad94c530'],
      vpcId: 'vpc-0f5d1c7e9a3b86420',
      privateIp: null,
      volumeAttachments: { volumes: [{ deviceName: '/dev/sdf', volumeId: 'vol-0c9e84d2b7a6135f0' }] },
      launchSpecification: {
        imageId: 'ami-0e2c8caa4b6378d8c',
        keyPair: null,
        securityGroupIds: ['sg-0e7d6c5b4a3928170'],
        instanceTypes: { preferredType: 'r5.xlarge', types: ['r5.xlarge', 'r5a.xlarge', 'r6i.xlarge'] },
        tags: tags({ Name: 'analyst-workstation', Environment: 'development', Team: 'data' })
      }
    },
    integrations: {},
    scheduling: {
      tasks: [
        { isEnabled: true, taskType: 'pause', cronExpression: '0 20 * * *' },
        { isEnabled: true, taskType: 'resume', cronExpression: '0 7 * * 1-5' }
      ]
    }
  }]
]
