import type { Test } from 'tap'
import { startSandbox, stoppedClock, UNHEALTHY_IMAGE } from '../sandbox/index.js'
import type { Sandbox, SandboxOptions } from '../sandbox/index.js'

/** Where the clock of a test's sandbox stands at first. */
export const START = Date.parse('2026-03-10T12:00:00.000Z')
export const ROLL = { batchSizePercentage: 50, gracePeriod: 60 }
export const UNHEALTHY = { compute: { launchSpecification: { imageId: UNHEALTHY_IMAGE } } }
export const MIGRATION = '/aws/ec2/managedInstance/migration'

export interface Item { [key: string]: unknown }

export interface Answer {
  status: number
  headers: Headers
  text: string
  /** The whole body; undefined if it is not JSON. */
  json: unknown
  /** `request` and `response` of the envelope. */
  request: Item
  response: Item
  items: Item[]
  errors: { code: string, message: string, field?: string }[]
}

export interface Client extends Sandbox {
  call (method: string, path: string, body?: unknown, init?: RequestInit): Promise<Answer>
  /** Advances the clock. */
  pass (seconds: number): void
  /** The `items` of a GET. */
  get (path: string): Promise<Item[]>
  /** The item that a POST creates. */
  create (path: string, body: object): Promise<Item & { id: string }>
  /** Creates a group or a managed instance, waits until it is up, and returns its path. */
  grow (body: { group: object } | { managedInstance: object }): Promise<string>
}

/** A sandbox with a stopped clock, and a well-behaved client of its first account. */
export async function startClient (t: Test, options: SandboxOptions = {}): Promise<Client> {
  const sandbox = await startSandbox({ clock: stoppedClock(START), seed: false, ...options })
  t.teardown(() => sandbox.close())
  const [account] = sandbox.accounts
  const client: Client = {
    ...sandbox,
    async call (method, path, body, init) {
      const url = new URL(sandbox.url + path)
      if (!url.searchParams.has('accountId')) url.searchParams.set('accountId', account?.id ?? '')
      const { status, headers, text } = await fetch(url, {
        method,
        headers: { authorization: `Bearer ${account?.token}`, 'content-type': 'application/json' },
        redirect: 'manual',
        ...body === undefined ? {} : { body: JSON.stringify(body) },
        ...init
      }).then(async (response) =>
        ({ status: response.status, headers: response.headers, text: await response.text() }))
      const json = text.startsWith('{"request"') ? JSON.parse(text) as { request: Item, response: Item } : undefined
      return {
        status,
        headers,
        text,
        json,
        request: json?.request ?? {},
        response: json?.response ?? {},
        items: (json?.response.items ?? []) as Item[],
        errors: (json?.response.errors ?? []) as Answer['errors']
      }
    },
    pass: (seconds) => sandbox.clock.advance(seconds * 1000),
    get: async (path) => (await client.call('GET', path)).items,
    async create (path, body) {
      const { items: [item], errors } = await client.call('POST', path, body)
      if (typeof item?.id !== 'string') throw new Error(JSON.stringify(errors))
      return { ...item, id: item.id }
    },
    async grow (body) {
      const collection = `/aws/ec2/${'group' in body ? 'group' : 'managedInstance'}`
      const { id } = await client.create(collection, body)
      client.pass(100)
      return `${collection}/${id}`
    }
  }
  return client
}

/** The instance ids of rows. */
export const ids = (rows: Item[]) => rows.map((row) => row.instanceId)
/** The capacity of a group. */
export const bounds = async ({ get }: Client, path: string) => (await get(path))[0]?.capacity
/** A query from a day before the start until `offset` milliseconds after it. */
export const days = (offset = 0) => `fromDate=${START - 86_400_000}&toDate=${START + offset}`

/** A group of 4 spot instances, at most 8 and at least 2. */
export function group (more: object = {}) {
  return {
    group: {
      name: 'fleet',
      region: 'us-east-1',
      capacity: { target: 4, minimum: 2, maximum: 8, unit: 'instance' },
      strategy: { risk: 100 },
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
export function statefulGroup () {
  const persistence = { shouldPersistRootDevice: true, shouldPersistPrivateIp: true }
  return group({ strategy: { persistence }, capacity: { target: 3, minimum: 0, maximum: 8 } })
}

/** A managed instance with a volume that is called vol-1. */
export function managedInstance (more: object = {}) {
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
