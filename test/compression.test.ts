import { get, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { DOCS_PATH } from '../openapi/paths.js'
import { CompressedReplies } from '../services/replies/compressed.js'
import { decoded, start, TOKEN } from './helper.js'

/* Answers of more than 1 KB, for callers who take them compressed. */

const groups = '/v1/spot/demo/elastigroups'
const one = `${groups}/sig-0f3ac1d2`

/** A request whose answer is looked at as it comes. */
const ask = async (url: string, headers: Record<string, string> = {}, { method = 'GET', body = '' } = {}) => {
  const sent = { 'x-auth-token': TOKEN, ...body && { 'content-length': String(Buffer.byteLength(body)) }, ...headers }
  const [status, answer, bytes] = await new Promise<[number, IncomingHttpHeaders, Buffer]>((resolve, reject) => {
    httpRequest(url, { method, headers: sent }, (response) => {
      buffer(response).then((bytes) => resolve([response.statusCode ?? 0, response.headers, bytes]), reject)
    }).on('error', reject).end(body)
  })
  const coding = answer['content-encoding'] ?? 'identity'
  const text = String(decoded(bytes, coding))
  return { status, headers: answer, coding, size: bytes.length, text, etag: answer.etag as string }
}

t.test('an answer comes in the coding that its caller prefers, under a tag of its own', async (t) => {
  const configuration = { reads: { freshFor: 60_000, staleFor: 60_000 } }
  const { url } = await start(t, { configuration })
  for (const path of [groups, one]) {
    const plain = await ask(url + path)
    t.match(plain, { coding: 'identity', headers: { vary: 'Accept-Encoding' } })
    t.ok(plain.size > 1024)
    for (const [accepted, coding] of [
      ['gzip', 'gzip'], ['br', 'br'], ['gzip, deflate, br, zstd', 'br'], ['gzip;q=1, br;q=0.5', 'gzip'], ['*', 'br'],
      ['identity', 'identity'], ['gzip;q=0', 'identity'], ['br;q=0, *', 'gzip'], ['gzip;q=0.0,br ; q=0, *', 'identity'],
      ['*;q=0', 'identity'], ['identity, gzip;q=0.5', 'identity'], ['zstd, compress', 'identity'], ['', 'identity'],
      ['GZIP', 'gzip'], ['x'.repeat(5000), 'identity']
    ] as const) {
      const name = `${path} ${accepted.slice(0, 40)}`
      const etag = coding === 'identity' ? plain.etag : plain.etag.replace(/"$/, `-${coding}"`)
      for (const time of ['first', 'again']) {
        const reply = await ask(url + path, { 'accept-encoding': accepted })
        const headers = { vary: 'Accept-Encoding' }
        t.match(reply, { status: 200, coding, text: plain.text, etag, headers }, `${name} ${time}`)
        t.equal(Number(reply.headers['content-length']), reply.size, name)
        if (coding !== 'identity') t.ok(reply.size < plain.size * 0.8, `${reply.size} of ${plain.size} bytes`)
      }
      const head = await ask(url + path, { 'accept-encoding': accepted }, { method: 'HEAD' })
      const whole = await ask(url + path, { 'accept-encoding': accepted })
      t.match(head, { size: 0, etag, headers: { 'content-length': whole.headers['content-length'] } }, `HEAD ${name}`)
      for (const known of [etag, `W/${etag}`, plain.etag, `"x", ${etag}`]) {
        const reply = await ask(url + path, { 'accept-encoding': accepted, 'if-none-match': known })
        t.match(reply, { status: 304, size: 0, headers: { vary: 'Accept-Encoding' } }, `${name} ${known}`)
        t.equal(reply.etag, known === plain.etag ? plain.etag : etag, 'under the tag by which the caller knows it')
      }
      t.equal((await ask(url + path, { 'if-none-match': '"x-gzip"', 'accept-encoding': accepted })).status, 200)
    }
  }
})

t.test('what is short, or asked in another way, is right as well', async (t) => {
  const { url, sandbox } = await start(t)
  const gzip = { 'accept-encoding': 'gzip' }
  const short = await ask(`${url}/v1/spot/whoami`, gzip)
  t.match([short.coding, short.headers.vary], ['identity', undefined])
  const capacity = { minimum: 0, target: 0, maximum: 0 }
  const group = { name: 'x', strategy: {}, capacity, compute: {}, long: 'x'.repeat(2000) }
  const json = { ...gzip, 'content-type': 'application/json' }
  const created = await ask(url + groups, json, { method: 'POST', body: JSON.stringify(group) })
  t.match([created.status, created.coding, JSON.parse(created.text).name], [201, 'gzip', 'x'])
  const dry = await ask(`${url}${groups}?dryRun=true`, json, { method: 'POST', body: JSON.stringify(group) })
  t.match([dry.status, dry.coding, JSON.parse(dry.text).status], [412, 'gzip', 412])
  const metrics = await ask(`${url}/v1/spot/metrics`, gzip)
  t.match([metrics.coding, metrics.headers['cache-control']], ['gzip', 'no-store'])
  t.match(metrics.text, /^spot_api_build_info/m)
  const path = url + created.headers.location
  t.equal((await ask(path, { ...gzip, 'if-match': '"x"' }, { method: 'DELETE' })).status, 412)
  const { etag } = await ask(path, gzip)
  t.match(etag, /-gzip"$/)
  t.equal((await ask(path, { ...gzip, 'if-match': etag }, { method: 'DELETE' })).status, 204)
  sandbox.faults.inject({ status: 500, times: Infinity })
  t.equal((await ask(url + groups, gzip)).status, 502)
})

t.test('the document and the docs page are compressed, kept and asked for again', async (t) => {
  const { url } = await start(t)
  const files = [
    '', '/static/swagger-ui-bundle.js', '/static/swagger-ui.css', '/static/swagger-initializer.js', '/json', '/yaml'
  ]
  for (const path of ['/v1/spot/openapi.json', '/v1/spot/openapi.yaml', ...files.map((file) => DOCS_PATH + file)]) {
    const plain = await ask(url + path)
    const isShort = plain.size < 1024
    for (const coding of ['gzip', 'br']) {
      const first = await ask(url + path, { 'accept-encoding': coding })
      t.match(first, { status: 200, coding: isShort ? 'identity' : coding, text: plain.text }, `${path} ${coding}`)
      t.ok(first.size <= plain.size * (isShort ? 1 : 0.6), `${first.size} of ${plain.size} bytes`)
      t.equal(first.headers['cache-control'], 'public, no-cache')
      t.match(first.etag, isShort ? /^(W\/)?"[\w-]+"$/ : new RegExp(`^(W/)?"[\\w-]+-${coding}"$`))
      const again = await ask(url + path, { 'accept-encoding': coding, 'if-none-match': first.etag })
      t.match(again, { status: 304, size: 0, headers: { 'cache-control': 'public, no-cache' } }, path)
      t.match(await ask(url + path, { 'accept-encoding': coding }), { size: first.size, text: plain.text }, 'and again')
      const head = await ask(url + path, { 'accept-encoding': coding, 'if-none-match': first.etag }, { method: 'HEAD' })
      t.equal(head.status, 304)
    }
    t.equal((await ask(url + path, { 'if-none-match': '"another"' })).status, 200)
  }
  const bundle = `${url}${DOCS_PATH}/static/swagger-ui-bundle.js`
  const part = await ask(bundle, { 'accept-encoding': 'gzip', range: 'bytes=0-4999' })
  t.match([part.status, part.coding, part.size], [206, 'identity', 5000], 'a part is a part of the file')
  t.equal((await ask(`${url}${DOCS_PATH}/static/nothing.js`, { 'accept-encoding': 'gzip' })).status, 404)
  const aborted = get(bundle, { headers: { 'accept-encoding': 'gzip' } }, (response) => response.destroy())
  aborted.on('error', () => {})
  await new Promise((resolve) => { aborted.once('close', resolve) })
  t.equal((await ask(bundle, { 'accept-encoding': 'gzip' })).coding, 'gzip')
})

t.test('what many ask for is compressed once', async (t) => {
  const replies = new CompressedReplies()
  let made = 0
  const body = () => {
    made++
    return 'x'.repeat(10_000)
  }
  const all = await Promise.all(Array.from({ length: 50 }, () => replies.make('gzip', 'tag', body)))
  t.strictSame([made, new Set(all).size, replies.get('gzip', 'tag')], [1, 1, all[0]])
  t.equal(replies.get('br', 'tag'), undefined)
  await replies.make('br', 'tag', body)
  await Promise.all([replies.make('gzip', undefined, body), replies.make('gzip', undefined, body)])
  t.equal(made, 4, 'each coding has its own, and what has no tag is not kept')
  await t.rejects(replies.make('gzip', 'broken', () => { throw new Error('broken') }), { message: 'broken' })
  t.ok(await replies.make('gzip', 'broken', body), 'a failure is not kept')
})
