import type { Test } from 'tap'
import { startSandbox, stoppedClock } from '../sandbox/index.js'
import type { Sandbox, SandboxOptions } from '../sandbox/index.js'

/** Where the clock of a test's sandbox stands at first. */
export const START = Date.parse('2026-03-10T12:00:00.000Z')

export interface Item { [key: string]: unknown }

export interface Answer {
  status: number
  /** The whole body. */
  json: Item
  /** `response` of the envelope. */
  response: Item
  items: Item[]
  /** Of each error: code, message and field. */
  errors: { code: string, message: string, field?: string }[]
}

export interface Client extends Sandbox {
  call (method: string, path: string, body?: unknown): Promise<Answer>
  /** Turns the clock. */
  pass (seconds: number): void
  /** The `items` of a GET. */
  get (path: string): Promise<Item[]>
  /** Creates a group or a managed instance, lets it come up, and returns its path. */
  grow (body: { group: object } | { managedInstance: object }): Promise<string>
}

/** A sandbox, its clock stopped, with a well-behaved client of its first account. */
export async function startClient (t: Test, options: SandboxOptions = {}): Promise<Client> {
  const sandbox = await startSandbox({ clock: stoppedClock(START), seed: false, ...options })
  t.teardown(() => sandbox.close())
  const [account] = sandbox.accounts
  const client: Client = {
    ...sandbox,
    async call (method, path, body) {
      const url = new URL(sandbox.url + path)
      url.searchParams.set('accountId', account?.id ?? '')
      const response = await fetch(url, {
        method,
        headers: { authorization: `Bearer ${account?.token}`, 'content-type': 'application/json' },
        ...body === undefined ? {} : { body: JSON.stringify(body) }
      })
      const json = await response.json() as Item & { response: Item }
      return {
        status: response.status,
        json,
        response: json.response,
        items: (json.response.items ?? []) as Item[],
        errors: (json.response.errors ?? []) as Answer['errors']
      }
    },
    pass: (seconds) => sandbox.clock.advance(seconds * 1000),
    get: async (path) => (await client.call('GET', path)).items,
    async grow (body) {
      const collection = `/aws/ec2/${'group' in body ? 'group' : 'managedInstance'}`
      const { items, errors } = await client.call('POST', collection, body)
      if (typeof items[0]?.id !== 'string') throw new Error(JSON.stringify(errors))
      client.pass(100)
      return `${collection}/${items[0].id}`
    }
  }
  return client
}

/** A group of 4 spot instances, at most 8 and at least 2. */
export function group (more: object = {}): { group: object } {
  return {
    group: {
      name: 'fleet',
      region: 'us-east-1',
      capacity: { target: 4, minimum: 2, maximum: 8, unit: 'instance' },
      compute: {
        product: 'Linux/UNIX',
        instanceTypes: { ondemand: 'm5.large', spot: ['m5.large'] },
        launchSpecification: { imageId: 'ami-0a1b2c3d4e5f60718' }
      },
      ...more
    }
  }
}

/** A group of 3 instances that keep root device and address. */
export function statefulGroup (): { group: object } {
  const persistence = { shouldPersistRootDevice: true, shouldPersistPrivateIp: true }
  return group({ strategy: { persistence }, capacity: { target: 3, minimum: 0, maximum: 8 } })
}

/** A managed instance with a volume that is called vol-1. */
export function managedInstance (more: object = {}): { managedInstance: object } {
  return {
    managedInstance: {
      name: 'node',
      region: 'us-east-1',
      persistence: { persistPrivateIp: true },
      compute: {
        subnetIds: ['subnet-1'],
        vpcId: 'vpc-1',
        product: 'Linux/UNIX',
        volumeAttachments: { volumes: [{ deviceName: '/dev/sdf', volumeId: 'vol-1' }] },
        launchSpecification: { imageId: 'ami-1', instanceTypes: { preferredType: 't3.micro' } }
      },
      ...more
    }
  }
}

/** Everything that a migration of an instance asks for at least. */
export function migration (originalInstanceId: string, more: object = {}): object {
  return { originalInstanceId, region: 'us-east-1', ...more }
}
