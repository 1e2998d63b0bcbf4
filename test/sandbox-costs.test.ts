import fc from 'fast-check'
import t from 'tap'
import { group, managedInstance, START, startClient } from './sandbox-client.js'
import type { Client } from './sandbox-client.js'

const HOUR = 3_600_000

interface Costs {
  running: { value: number, unit: string }
  savings: { value: number, unit: string }
  costs: { actual: number, potential: number }
}

async function costs (sandbox: Client, resource: string, from?: number, to?: number): Promise<Costs> {
  const query = new URLSearchParams()
  if (from !== undefined) query.set('fromDate', new Date(from).toISOString())
  if (to !== undefined) query.set('toDate', new Date(to).toISOString())
  const [item] = await sandbox.get(`/aws/ec2/${resource}/costs?${query}`)
  return item as unknown as Costs
}

t.test('detailed costs list each instance that ran, and add up to the costs', async (t) => {
  const client = await startClient(t)
  const path = await client.grow(group({ strategy: { onDemandCount: 1 } }))
  client.pass(7200)
  await client.call('PUT', `${path}/scale/down?adjustment=2`)
  client.pass(3600)
  const query = 'fromDate=2026-03-10&toDate=2026-03-11'
  interface Costs { running: { value: number }, costs: { actual: number, potential: number } }
  const [whole] = await client.get(`${path}/costs?${query}`) as unknown as Costs[]
  const parts = await client.get(`${path}/costs/detailed?${query}`)
  t.equal(parts.length, 4, 'the gone ones count')
  t.match(parts[0], { groupId: path.slice(-12), spotInstanceRequestId: null, instanceType: 'm5.large' })
  for (const pick of [
    (costs: Costs) => costs.running.value, (costs: Costs) => costs.costs.actual, (costs: Costs) => costs.costs.potential
  ]) {
    const sum = (parts as unknown as Costs[]).reduce((so, part) => so + pick(part), 0)
    t.ok(whole !== undefined && Math.abs(sum - pick(whole)) < 1e-5)
  }
})

t.test('the costs of a range are the sum of its parts, whatever happened to the group', async (t) => {
  const sandbox = await startClient(t, { rateLimit: 1_000_000 })
  const { id } = await sandbox.create('/aws/ec2/group', group({
    capacity: { target: 2, minimum: 0, maximum: 8 }
  }))
  for (const target of [5, 0, 7, 1]) {
    sandbox.clock.advance(9.7 * HOUR)
    await sandbox.call('PUT', `/aws/ec2/group/${id}`, { group: { capacity: { target } } })
  }
  sandbox.clock.advance(5 * HOUR)
  const resource = `group/${id}`
  const moment = fc.integer({ min: START - 5 * HOUR, max: START + 60 * HOUR })
  await fc.assert(fc.asyncProperty(fc.tuple(moment, moment, moment), async (moments) => {
    const [from = 0, middle = 0, to = 0] = moments.sort((a, b) => a - b)
    const [whole, early, late] = await Promise.all([
      costs(sandbox, resource, from, to), costs(sandbox, resource, from, middle), costs(sandbox, resource, middle, to)
    ])
    const close = (a: number, b: number) => Math.abs(a - b) < 5e-6
    const { actual, potential } = whole.costs
    return close(whole.running.value, early.running.value + late.running.value) &&
      close(actual, early.costs.actual + late.costs.actual) &&
      close(potential, early.costs.potential + late.costs.potential) &&
      close(whole.savings.value, potential === 0 ? 0 : 100 * (1 - actual / potential)) &&
      actual <= potential
  }), { numRuns: 60 })
})

t.test('time before the start and after now costs nothing', async (t) => {
  const sandbox = await startClient(t)
  const { id } = await sandbox.create('/aws/ec2/managedInstance', managedInstance())
  const resource = `managedInstance/${id}`
  sandbox.clock.advance(2 * HOUR + 20_000)
  t.strictSame(await costs(sandbox, resource, START - 9 * HOUR, START), {
    running: { value: 0, unit: 'hours' },
    savings: { value: 0, unit: 'percentage' },
    costs: { actual: 0, potential: 0 }
  })
  const whole = await costs(sandbox, resource)
  t.match(whole, { running: { value: 2 }, costs: { potential: 0.0208 } }, 'without dates: from creation to now')
  t.strictSame(await costs(sandbox, resource, START - 9 * HOUR, START + 99 * HOUR), whole)
  const days = await sandbox.call('GET', `/aws/ec2/${resource}/costs?fromDate=2026-03-10&toDate=2026-03-11`)
  t.strictSame(days.items, [whole], 'days')
  const seconds = `fromDate=${START / 1000}&toDate=${START / 1000 + 7220}`
  t.strictSame((await sandbox.call('GET', `/aws/ec2/${resource}/costs?${seconds}`)).items, [whole], 'Unix seconds')
})

t.test('daily costs have an item for each day, and add up to the costs', async (t) => {
  const client = await startClient(t)
  const paths = [await client.grow(group()), await client.grow(managedInstance())]
  client.pass(2 * 86_400)
  for (const path of paths) {
    for (const [from, to] of [['2026-03-09T18:00:00Z', '2026-03-12T06:00:00Z'], ['2026-03-01', '2026-04-01']]) {
      const query = `fromDate=${from}&toDate=${to}`
      const [whole] = await client.get(`${path}/costs?${query}`) as unknown as Costs[]
      const daily = await client.get(`${path}/costs?${query}&aggregationPeriod=daily`) as unknown as Costs[]
      t.equal(daily.length, 3, `${path} ${query}`)
      const hours = daily.reduce((sum, { running }) => sum + running.value, 0)
      t.ok(Math.abs(hours - (whole?.running.value ?? 0)) < 1e-5)
    }
  }
  const days = 'fromDate=2026-03-11&toDate=2026-03-13&aggregationPeriod'
  const detailed = await client.get(`${paths[0]}/costs/detailed?${days}=daily`)
  t.equal(detailed.length, 8, 'four instances on two days')
  const refused = await client.call('GET', `${paths[0]}/costs?${days}=hourly`)
  t.strictSame(refused.errors.map(({ message }) => message), ['"aggregationPeriod" must be one of [daily]'])
})

t.test('the costs of a group need both dates, in order', async (t) => {
  const sandbox = await startClient(t, { seed: true })
  const cases: [string, string[]][] = [
    ['', ['"fromDate" is required', '"toDate" is required']],
    ['fromDate=2026-03-01', ['"toDate" is required']],
    ['fromDate=soon&toDate=2026-03-01', ['"fromDate" must be a valid date']],
    ['fromDate=2026-03-02&toDate=2026-03-01', ['"toDate" must be greater than or equal to "ref:fromDate"']]
  ]
  for (const [query, messages] of cases) {
    const { status, errors } = await sandbox.call('GET', `/aws/ec2/group/sig-0f3ac1d2/costs?${query}`)
    t.equal(status, 400)
    t.strictSame(errors.map((entry) => entry.message), messages, query)
  }
})
