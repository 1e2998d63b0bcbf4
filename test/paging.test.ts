import t from 'tap'
import { start, type Gateway } from './helper.js'

/* Lists, a page at a time. */

const bodies = {
  elastigroups: (name: string, team: string) => ({
    name,
    strategy: {},
    capacity: { minimum: 0, target: 0, maximum: 1 },
    compute: { launchSpecification: { tags: [{ tagKey: 'team', tagValue: team }] } }
  }),
  instances: (name: string, team: string) => ({
    name,
    region: 'us-east-1',
    compute: {
      subnetIds: ['subnet-1'],
      vpcId: 'vpc-1',
      launchSpecification: {
        instanceTypes: { preferredType: 't3.micro', types: ['t3.micro'] },
        tags: [{ tagKey: 'team', tagValue: team }]
      }
    }
  })
}
const nouns = ['elastigroups', 'instances'] as const

/** Where the next page is. */
const nextOf = (link: string | string[] | undefined) => /^<(.*)>; rel="next"$/.exec(String(link))?.[1]

/** Every page from a path on, by its links. */
async function pagesFrom ({ request }: Gateway, path: string) {
  const pages: string[][] = []
  for (let next: string | undefined = path; next !== undefined;) {
    const { status, json, headers } = await request('GET', next)
    t.equal(status, 200, next)
    pages.push(json.map(({ id }: { id: string }) => id))
    next = nextOf(headers.link)
    t.ok(headers.link === undefined || next, String(headers.link))
  }
  return pages
}

t.test('lists come in pages', async (t) => {
  const gateway = await start(t, { sandbox: { seed: false, rateLimit: Infinity } })
  const { request, sandbox } = gateway
  for (const noun of nouns) {
    const path = `/v1/spot/demo/${noun}`
    const create = (index: number) =>
      request('POST', path, { body: bodies[noun](`web ${index}`, index % 2 ? 'a&b=c' : 'other') })
    for (let index = 0; index < 7; index++) await create(index)
    const whole = await request('GET', path)
    const all: string[] = whole.json.map(({ id }: { id: string }) => id)
    const sorted = all.toSorted()
    t.equal(whole.headers.link, undefined, 'without limit it is whole')
    t.strictSame(await pagesFrom(gateway, `${path}?limit=1000`), [sorted], 'all in one')
    t.strictSame(await pagesFrom(gateway, `${path}?limit=7`), [sorted], 'just as many')
    const pages = await pagesFrom(gateway, `${path}?limit=3`)
    t.strictSame([pages.map(({ length }) => length), pages.flat()], [[3, 3, 1], sorted], 'in the order of their ids')
    t.strictSame(await pagesFrom(gateway, `${path}?after=${sorted[4]}`), [sorted.slice(5)], 'the rest')
    t.strictSame(await pagesFrom(gateway, `${path}?limit=2&after=${sorted.at(-1)}`), [[]], 'nothing is left')

    const filter = `tag=${encodeURIComponent('team:a&b=c')}&tag=team&name=web+*&createdAfter=2020-01-01`
    const passing = (await request('GET', `${path}?${filter}`)).json.map(({ id }: { id: string }) => id).toSorted()
    t.equal(passing.length, 3)
    const few = await pagesFrom(gateway, `${path}?${filter}&limit=2`)
    t.strictSame(few, [passing.slice(0, 2), passing.slice(2)], 'with filters, which the link keeps')

    const { headers: { etag = '', link } } = await request('GET', `${path}?limit=3`)
    const known = { headers: { 'if-none-match': etag } }
    t.match(await request('GET', `${path}?limit=3`, known), { status: 304, headers: { link } }, 'with its ETag')
    const second = nextOf(link) as string
    const last = (await request('GET', second)).json.at(-1).id
    t.match(await request('DELETE', `${path}/${last}`), { status: 204 })
    t.strictSame(await pagesFrom(gateway, `${path}?limit=3&after=${last}`), [sorted.slice(6)], 'after what is gone')

    const [ids] = await pagesFrom(gateway, `${path}?limit=6`)
    const full = await request('GET', `${path}?limit=6`)
    t.equal(full.headers.link, undefined)
    const isLast = async () =>
      ((await request('GET', path)).json as { id: string }[]).every(({ id }) => id <= (ids?.at(-1) ?? ''))
    while (await isLast()) await create(9)
    const more = await request('GET', `${path}?limit=6`, { headers: { 'if-none-match': full.headers.etag as string } })
    t.match(more, { status: 200, headers: { link: /rel="next"/ } }, 'a page that has a next one now is another page')

    const calls = sandbox.transcript.length
    for (const [query, parameter] of [
      ['limit=0', 'limit'], ['limit=1001', 'limit'], ['limit=', 'limit'], ['limit=1e1', 'limit'], ['limit=x', 'limit'],
      ['limit=1&limit=2', 'limit'], ['after=', 'after'], ['after=a%2Fb', 'after'], ['after=a&after=b', 'after']
    ] as const) {
      const reply = await request('GET', `${path}?${query}`)
      t.match(reply, { status: 400, json: { errors: [{ parameter }] } }, query)
    }
    t.equal(sandbox.transcript.length, calls)
  }
})
