import { deepEqual, equal, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { bodyValuesOf } from '../services/audit/index.js'
import {
  concealing, MASK, MASK_BASE64, harmless, masked, maskedInTurns, maskOf, masksIn, secrets, visitLeaves, withoutTokens
} from '../services/masking/index.js'
import { pointerTo } from '../services/problems/pointer.js'
import { faultsOfReply } from './contract-check.js'
import { start } from './helper.js'

interface Tree { [name: string]: unknown }

const known = JSON.parse(readFileSync(new URL('known-properties.json', import.meta.url), 'utf8')) as
  Record<'elastigroup' | 'managedInstance', Record<string, string>>

/** What is secret of all that Spot's document and its Go SDK know, found by reading the list through. */
const expected = {
  elastigroup: [
    'compute.launchSpecification.shutdownScript',
    'compute.launchSpecification.userData',
    'thirdPartiesIntegration.chef.pemKey',
    'thirdPartiesIntegration.dockerSwarm.autoScale.tlsConfig.privateKey',
    'thirdPartiesIntegration.jenkins.connectionMethod.jnlp.password',
    'thirdPartiesIntegration.jenkins.connectionMethod.jnlp.token',
    'thirdPartiesIntegration.kubernetes.token',
    'thirdPartiesIntegration.nomad.aclToken',
    'thirdPartiesIntegration.nomad.tlsConfig.privateKey',
    'thirdPartiesIntegration.rancher.accessKey',
    'thirdPartiesIntegration.rancher.secretKey'
  ],
  managedInstance: ['compute.launchSpecification.shutdownScript', 'compute.launchSpecification.userData']
}

/** Paths of all strings of a resource. */
const stringsOf = (resource: string) => Object.entries(known[resource as keyof typeof known])
  .flatMap(([path, type]) => type.includes('string') ? [path] : [])

const canary = (path: string) => `canary of ${path}`

/** Objects that together have each path, a canary at its end. There are several as paths differ in what is a list. */
function filled (paths: string[]): Tree[] {
  const trees: Tree[] = []
  for (const path of paths) if (!trees.some((tree) => put(tree, path))) put(trees[trees.push({}) - 1] as Tree, path)
  return trees
}

function put (tree: Tree, path: string): boolean {
  let at = tree
  const steps = path.split('.')
  const last = steps.pop() as string
  for (const step of steps) {
    const name = step.replace('[]', '')
    const next = at[name] ??= step === name ? {} : [{}]
    if (Array.isArray(next) !== (step !== name)) return false
    at = (Array.isArray(next) ? next[0] : next) as Tree
  }
  at[last] = known.elastigroup[path]?.startsWith('array') ? [canary(path), canary(path)] : canary(path)
  return true
}

for (const [resource, paths] of Object.entries(expected)) {
  t.test(`of everything in a ${resource} that is a string, exactly the secrets are masked`, (t) => {
    const strings = stringsOf(resource)
    t.ok(strings.length > 50)
    const trees = filled(strings)
    const text = JSON.stringify(masked(trees))
    t.strictSame(strings.filter((path) => !text.includes(JSON.stringify(canary(path)))).toSorted(), paths)
    t.strictSame(JSON.stringify(trees).match(/canary/g)?.length, text.match(/canary/g)!.length + paths.length)
    t.end()
  })
}

t.test('the table of secrets is as expected, and each of its fields is masked wherever it stands', (t) => {
  t.strictSame(secrets.map(({ path }) => path).toSorted(), expected.elastigroup)
  for (const { path, base64, source } of secrets) {
    const [tree] = filled([path])
    t.match(source, /https:/)
    const mask = base64 ? MASK_BASE64 : MASK
    for (const within of [tree, [tree], { group: tree }, { items: [{ data: tree }] }]) {
      t.strictSame(masked(within), JSON.parse(JSON.stringify(within).replace(canary(path), mask)), path)
    }
  }
  t.end()
})

t.test('an unknown field is masked if its name sounds like a secret', (t) => {
  for (const name of [
    'password', 'Password', 'PASSWORD', 'dbPassword', 'db_password', 'DB-PASSWORD', 'password2', 'passwordHash',
    'passwd', 'passphrase', 'secret', 'clientSecret', 'secrets',
    'secretValue', 'secretString', 'token', 'tokens', 'authToken',
    'accessToken', 'auth_token', 'apiKey', 'apikey', 'api_key', 'APIKey', 'x-api-key', 'apiKeys', 'accessKey',
    'secretAccessKey', 'privateKey', 'privateKeyPem', 'sshKey', 'sshPrivateKey', 'signingKey', 'encryptionKey',
    'credential', 'credentials', 'credentialsJson', 'Authorization', 'basicAuth', 'webhook', 'webhookUrl',
    'webhooks', 'kubeconfig', 'connectionString', 'presignedUrl', 'UserData', 'userDataBase64', 'user_data',
    'startupScript', 'aclTokens', 'jwt', 'cookie', 'pass', 'dbPass', 'db_pass', 'PASS', 'pin', 'userPin', 'PIN', 'pin2',
    'tokenList', 'passwordList', 'secretsMap', 'api_key_list'
  ]) t.ok(maskOf(name), name)
  for (const name of [
    ...Object.keys(harmless), 'HttpTokens', 'tokenExpiration', 'tokenId', 'tokenType', 'secretName', 'secretArn',
    'secretId', 'secretKeyRef', 'passwordPolicy', 'passwordLength', 'accessKeyId', 'kmsKeyId',
    'keyPair', 'key', 'keys', 'tagKey',
    'publicKey', 'sshPublicKey', 'certificate', 'userName', 'user', 'author', 'authority', 'authType', 'description',
    'subscription', 'name', 'id', 'monkey', 'jobQueueNames', 'credentialType', 'cookieName', 'scripted', '',
    'bypass', 'compass', 'spin', 'pinned', 'passes', 'mapping', 'userList', 'pincode',
    '__proto__', 'constructor', 'toString'
  ]) t.equal(maskOf(name), undefined, name)
  for (let i = 0; i < 5000; i++) maskOf(`name${i}`)
  t.equal(maskOf('userData'), MASK_BASE64, 'many names make it forget none')
  t.end()
})

t.test('masking keeps the structure: it changes only numbers and strings that are not empty', (t) => {
  const names = { user: 'me', inner: [{ value: 'secret' }, 'secret'] }
  const value = JSON.parse(`{
    "token": null, "secrets": ["a", "", null, 1, true, {}, []], "credentials": ${JSON.stringify(names)},
    "password": 12345, "hasToken": true, "userData": "", "2": "b", "1": "a", "__proto__": { "token": "x", "name": "y" }
  }`)
  t.equal(JSON.stringify(masked(value)), JSON.stringify(value)
    .replace('["a"', `["${MASK}"`).replace('"me"', `"${MASK}"`).replaceAll('"secret"', `"${MASK}"`)
    .replace('null,1,true', `null,"${MASK}",true`).replace('12345', `"${MASK}"`)
    .replace('"x"', `"${MASK}"`))
  for (const one of ['token', '', null, undefined, 1, true]) t.equal(masked(one), one, 'a value alone has no name')
  const plain = [{ a: 1, tags: [{ tagKey: 'password', tagValue: 'x' }] }, { token: null, password: '' }]
  t.equal(masked(plain), plain, 'what has no secret is not copied')
  const half = { a: { b: 1 }, c: { token: 'x' } }
  t.equal(masked(half).a, half.a, 'nor is a part that has none')
  t.equal(half.c.token, 'x', 'and the input is as it was')
  t.end()
})

const names = fc.oneof(
  fc.constantFrom('compute', 'tokens', 'userData', 'password', 'nextToken', 'credentials', 'a/b~c', '__proto__'),
  fc.string({ unit: 'binary' }))
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof({ depthSize: 'small' },
    fc.string(), fc.constantFrom('', null, true, 0), fc.integer(), fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(names, tie('value')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)))
})).value

const leavesOf = (value: unknown) => {
  const leaves: { pointer: string, leaf: unknown, mask: string | undefined }[] = []
  visitLeaves(value, (leaf, place, mask) => leaves.push({ pointer: pointerTo(place), leaf, mask }))
  return leaves
}

t.test('for any value: masking twice is masking once, the structure stays, and every mask is found', (t) => {
  fc.assert(fc.property(json, (value) => {
    const before = structuredClone(value)
    const result = masked(value)
    deepEqual(value, before)
    deepEqual(masked(result), result)
    equal(masked(result), result)

    const [were, are] = [leavesOf(value), leavesOf(result)]
    deepEqual(are.map(({ pointer }) => pointer), were.map(({ pointer }) => pointer))
    const changed = are.filter(({ leaf }, index) => leaf !== were[index]?.leaf && typeof leaf === 'string')
    for (const { leaf, mask } of changed) equal(leaf, mask)
    for (const { leaf, mask } of are) if (mask && typeof leaf === 'string' && leaf !== '') equal(leaf, mask)
    deepEqual(masksIn(result), changed.map(({ pointer }) => pointer))
    equal(result === value, changed.length === 0)
  }), { numRuns: process.env.CHAOS === 'full' ? 20_000 : 150 })
  t.end()
})

t.test('no secret survives masking, wherever it stands', (t) => {
  const secret = fc.constantFrom(...secrets.map(({ path }) => path.split('.').at(-1) as string), 'apiKey', 'secrets')
  const at = fc.array(fc.constantFrom('compute', 'items', 'group', 0, 1), { maxLength: 6 })
  fc.assert(fc.property(json, secret, at, fc.boolean(), (value, name, place, listed) => {
    let tree: unknown = { value, [name]: listed ? [{ value: ['the canary'] }] : 'the canary' }
    for (const step of place) tree = typeof step === 'number' ? Array(step + 1).fill(tree) : { [step]: tree, value }
    ok(JSON.stringify(tree).includes('the canary'))
    ok(!JSON.stringify(masked(tree)).includes('the canary'))
    ok(!JSON.stringify(bodyValuesOf(tree)).includes('the canary'))
  }))
  t.end()
})

t.test('a list of hundreds is masked like a short one, without blocking the event loop', async (t) => {
  const [group] = filled(stringsOf('elastigroup')) as [Tree]
  const list = Array.from({ length: 400 }, (_, index) => ({ ...structuredClone(group), index }))
  // A clock that moves a second at each look: every slice is used up when its pieces are counted.
  let now = 0
  t.intercept(performance, 'now', { value: () => { now += 1000; return now } })
  let turns = 0
  let masking = true
  const count = () => {
    turns++
    if (masking) setImmediate(count)
  }
  setImmediate(count)
  const result = await maskedInTurns(list)
  masking = false
  t.ok(turns >= 8, `others had ${turns} turns between 8 pieces of 50`)
  deepEqual(result, masked(list))
  t.strictSame(await maskedInTurns(list.slice(0, 3)), result.slice(0, 3))
  const plain = list.map(({ index }) => ({ index }))
  t.equal(await maskedInTurns(plain), plain, 'without a secret it is the list itself')
  t.strictSame(await maskedInTurns([[{ token: 'x' }], []]), [[{ token: MASK }], []])
})

t.test('passwords in URIs are masked, and found when they come back', (t) => {
  for (const [text, want] of [
    ['https://me:secret@host/path?a=b', `https://me:${MASK}@host/path?a=b`],
    ['redis://:secret@host', `redis://:${MASK}@host`],
    ['see a://b:c@d and e://f:g@h', `see a://b:${MASK}@d and e://f:${MASK}@h`]
  ] as const) {
    t.strictSame(masked({ url: text }), { url: want })
    t.equal(masked({ url: want }).url, want)
    t.strictSame(masksIn({ url: want }), ['#/url'])
    t.strictSame(bodyValuesOf({ url: text }), [{ pointer: '#/url', value: want }])
  }
  for (const text of ['https://host:8080/a:b@c', 'https://me@host', 'me:secret@host', 'https://a?b:c@d', '://', 'a:b']) {
    t.strictSame(masked([text]), [text])
    t.strictSame(masksIn([text]), [])
  }
  const long = '://'.repeat(300_000)
  t.equal(masked([long])[0], long, 'in time that grows with the text')
  t.end()
})

t.test('a mask is found however a client has altered it', (t) => {
  const again = btoa(MASK_BASE64)
  for (const text of [
    MASK, MASK_BASE64, again, ` ${MASK}\n`, `\t${MASK_BASE64}\r\n`, btoa(`${MASK}\n`), btoa(`${MASK_BASE64}\n`)
  ]) t.strictSame(masksIn({ a: [1, { 'b/c~d %é': text }] }), ['#/a/1/b~1c~0d%20%25%C3%A9'], JSON.stringify(text))
  t.strictSame(masksIn(MASK), ['#'])
  t.strictSame(masksIn({ '\ud800': MASK }), ['#/%EF%BF%BD'], 'a name that no URI can have')
  t.strictSame(masksIn({ name: `not ${MASK}`, userData: btoa(`echo ${MASK}`), [MASK]: 1, a: [null, {}, []] }), [])
  for (const nothing of [undefined, null, {}, [], '', 1]) t.strictSame(masksIn(nothing), [])
  t.equal(masksIn(Array(5000).fill(MASK)).length, 100, 'of very many the first')
  t.end()
})

t.test('a masked resource that is sent back is recognised, and is valid by the document', async (t) => {
  const { request } = await start(t)
  const launchSpecification = { imageId: 'ami-1', userData: btoa('a script'), shutdownScript: btoa('another') }
  const compute = {
    product: 'Linux/UNIX', subnetIds: ['subnet-1'], launchSpecification, instanceTypes: { ondemand: 'm5.large' }
  }
  const jnlp = { masterIP: '10.0.0.1', userName: 'me', password: 'the password' }
  const rancher = { accessKey: 'a', secretKey: 'b' }
  const thirdPartiesIntegration = { jenkins: { connectionMethod: { jnlp } }, rancher }
  const capacity = { target: 1, minimum: 1, maximum: 1 }
  const region = 'us-east-1'
  const scripts = ['shutdownScript', 'userData'].map((name) => `#/compute/launchSpecification/${name}`)
  const ofGroup = ['jenkins/connectionMethod/jnlp/password', 'rancher/accessKey', 'rancher/secretKey']
    .map((path) => `#/thirdPartiesIntegration/${path}`)
  for (const [path, body, pointers] of [
    ['elastigroups', { name: 'x', region, strategy: {}, capacity, compute, thirdPartiesIntegration }, ofGroup],
    ['instances', { name: 'x', region, compute }, []]
  ] as const) {
    const created = await request('POST', `/v1/spot/demo/${path}`, { body })
    t.equal(created.status, 201, created.text)
    const one = created.headers.location as string
    const read = await request('GET', one)
    t.strictSame(masksIn(read.json), [])
    const json = masked(read.json)
    t.strictSame(masksIn(json).toSorted(), [...scripts, ...pointers])
    t.strictSame(faultsOfReply('GET', one, { ...read, json, text: JSON.stringify(json) }), [])
  }
})

t.test('the audit lists the values of a body, with secrets masked and long strings cut', (t) => {
  const long = 'x'.repeat(300)
  t.strictSame(bodyValuesOf({
    capacity: { target: 0, unit: null },
    tags: [],
    a: {},
    'b/c': [true, ''],
    long,
    [long]: 1,
    compute: { launchSpecification: { userData: 'x'.repeat(5000) } },
    token: '',
    credentials: [{ user: 'me', pin: 1 }]
  }), [
    { pointer: '#/capacity/target', value: 0 },
    { pointer: '#/capacity/unit', value: null },
    { pointer: '#/tags', value: [] },
    { pointer: '#/a', value: {} },
    { pointer: '#/b~1c/0', value: true },
    { pointer: '#/b~1c/1', value: '' },
    { pointer: '#/long', value: `${'x'.repeat(256)}… (44 more characters)` },
    { pointer: `#/${'x'.repeat(254)}… (46 more characters)`, value: 1 },
    { pointer: '#/compute/launchSpecification/userData', value: MASK_BASE64 },
    { pointer: '#/token', value: '' },
    { pointer: '#/credentials/0/user', value: MASK },
    { pointer: '#/credentials/0/pin', value: MASK }
  ])
  const many = bodyValuesOf(Array.from({ length: 1000 }, (_, index) => index))
  t.equal(many.length, 201)
  t.strictSame(many.slice(-2), [{ pointer: '#/199', value: 199 }, { pointer: '#', value: '(800 more)' }])
  const one = { pointer: '#/0', value: 1 }
  t.strictSame(bodyValuesOf([1, 2, 3], { most: 1 }), [one, { pointer: '#', value: '(2 more)' }])
  t.strictSame(bodyValuesOf([1, 2], { most: 2 }).length, 2)
  t.strictSame(bodyValuesOf(undefined), [])
  t.strictSame(bodyValuesOf('text'), [{ pointer: '#', value: 'text' }])
  t.end()
})

t.test('a secret is masked where a plus became a space, or a space a plus', (t) => {
  const conceal = concealing(['adm+in/key-1234567890=', 'of two words'])
  for (const text of ['adm+in/key-1234567890=', 'adm in/key-1234567890=', 'of two words', 'of+two words']) {
    t.equal(conceal(`<${text}>`), '<(masked)>', text)
  }
  t.equal(conceal('adm-in/key-1234567890='), 'adm-in/key-1234567890=')
  t.end()
})

t.test('a secret is masked however it is encoded, even where other parts of the text cannot be decoded', (t) => {
  const conceal = concealing(['adm+in/key-1234567890='])
  for (const text of ['adm+in%2Fkey-1234567890%3D', '%61dm%2bin%2fkey-1234567890=', '%ff%61dm in/key-1234567890%3d']) {
    t.match(conceal(`%<${text}>`), /^%<\ufffd?\(masked\)>$/, text)
  }
  t.equal(conceal('100% of %41, and of %zz'), '100% of %41, and of %zz')
  const hash = `2b$10$${'./Az09'.repeat(9)}`
  for (const text of [`$${hash}`, `%24${hash}`, `%24%32b%2410%24${'%2e/Az09'.repeat(9)}`]) {
    t.equal(withoutTokens(`<${text}>`), '<(token)>', text)
  }
  t.end()
})
