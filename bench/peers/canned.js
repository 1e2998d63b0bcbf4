// A bare node:http server that gives everybody the same answer.
import { createServer } from 'node:http'
import { listenAndTell } from './listen.js'

const { headers, body, groups } = JSON.parse(process.argv[2])
const bytes = Buffer.from(groups ? answerOf(groups) : body)

listenAndTell(createServer((_, response) => {
  response.writeHead(200, { ...headers, 'content-length': bytes.length }).end(bytes)
}))

/** Spot's answer with so many groups, four kilobytes each. */
function answerOf (groups) {
  const userData = Buffer.alloc(1500, 'what a server does when it starts').toString('base64')
  const items = Array.from({ length: groups }, (_, i) => ({
    id: `sig-${i.toString(16).padStart(8, '0')}`,
    name: `group-${i}`,
    description: `Group number ${i}`,
    region: 'us-east-1',
    capacity: { minimum: 0, target: i % 10, maximum: 20, unit: 'instance' },
    strategy: { risk: 100, onDemandCount: null, availabilityVsCost: 'balanced', drainingTimeout: 120 },
    compute: {
      product: 'Linux/UNIX',
      instanceTypes: { ondemand: 'm5.large', spot: Array.from({ length: 40 }, (_, n) => `m${n % 8}a.${n}xlarge`) },
      availabilityZones: ['a', 'b', 'c'].map((zone) => ({ name: `us-east-1${zone}`, subnetIds: [`subnet-${i}`] })),
      launchSpecification: {
        imageId: 'ami-0c101f26f147fa7fd',
        securityGroupIds: ['sg-04d1f7a9c3b2e8560', 'sg-0b6a8d5e2f914c37a'],
        userData,
        tags: ['Name', 'Team', 'Environment', 'Owner'].map((tagKey) => ({ tagKey, tagValue: `${tagKey}-${i % 100}` }))
      }
    },
    scaling: { up: null, down: null },
    createdAt: '2026-11-01T08:00:00.000Z',
    updatedAt: '2026-11-23T12:00:00.000Z'
  }))
  const response = { status: { code: 200, message: 'OK' }, kind: 'spotinst:aws:ec2:group', items, count: groups }
  return JSON.stringify({ request: { id: 'a-request', method: 'GET' }, response })
}
