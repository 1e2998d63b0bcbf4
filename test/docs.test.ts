import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { document, METHODS } from '../openapi/document.js'
import { DOCS_PATH } from '../openapi/paths.js'
import { problems } from '../services/problems/index.js'
import { KEY, start, TOKEN } from './helper.js'

const executablePath = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium'
].find((path) => path && existsSync(path))
const skip = executablePath ? false : 'skipped: no Chromium on this machine'

/** Resolved by the browser alone. Unlike localhost, browsers give plain http under such a name no privileges. */
const HOST = 'spot-api.test'
const SCREENSHOTS = fileURLToPath(new URL('screenshots/', import.meta.url))

// Pages load side by side. A browser on a busy machine takes minutes; nothing here waits for a time.
t.jobs = 2
t.setTimeout(600_000)

let browser: Browser
t.before(async () => {
  if (!executablePath) return
  await mkdir(SCREENSHOTS, { recursive: true })
  browser = await chromium.launch({
    executablePath,
    args: [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--no-first-run', `--host-resolver-rules=MAP ${HOST} 127.0.0.1`
    ]
  })
})
t.after(() => browser?.close())

interface Docs {
  page: Page
  /** The same page, seen by another browser. */
  reopen (options: BrowserContextOptions): Promise<Page>
  /** What should not have happened: console errors, exceptions, policy violations, requests to other origins. */
  faults: string[]
  /** Bytes that came over the wire since it was asked last, headers included. */
  weight (): number
  sandbox: Awaited<ReturnType<typeof start>>['sandbox']
}

const LOOPBACK = '127.0.0.1'

/** The docs page of a gateway in front of a fresh sandbox, seen by a browser that was never here before. */
async function openDocs (t: Test, { host = LOOPBACK, sandbox = true } = {}): Promise<Docs> {
  const gateway = await start(t, { configuration: { sandbox } })
  const { origin } = new URL(gateway.url.replace(LOOPBACK, host))
  const faults: string[] = []
  let bytes = 0

  async function reopen (options: BrowserContextOptions) {
    const context = await browser.newContext(options)
    t.teardown(() => context.close())
    context.setDefaultTimeout(0) // no limit but that of the file
    const page = await context.newPage()
    const network = await context.newCDPSession(page)
    await network.send('Network.enable')
    network.on('Network.loadingFinished', ({ encodedDataLength }) => { bytes += encodedDataLength })
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) faults.push(`${message.type()}: ${message.text()}`)
    })
    page.on('pageerror', (error) => faults.push(`exception: ${error.message}`))
    page.on('dialog', async (dialog) => {
      faults.push(`dialog: ${dialog.message()}`)
      await dialog.dismiss()
    })
    page.on('requestfailed', (request) => faults.push(`failed: ${request.url()}`))
    page.on('request', (request) => {
      const url = new URL(request.url())
      if (url.protocol !== 'data:' && url.origin !== origin) faults.push(`other origin: ${url}`)
    })
    await page.goto(origin) // which leads there
    await page.locator('.opblock').first().waitFor()
    return page
  }

  const weight = () => {
    const since = bytes
    bytes = 0
    return since
  }
  const page = await reopen({ viewport: { width: 1440, height: 900 } })
  return { page, reopen, faults, weight, sandbox: gateway.sandbox }
}

const screenshot = (page: Page, name: string) => page.screenshot({ path: `${SCREENSHOTS}${name}.png` })

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Whatever is on the page but closed operations, which are all alike and would take a minute. */
const OPEN = '.info, .scheme-container, .filter, .opblock-tag, .opblock.is-open'

/** What axe-core finds critical or serious: its rule, and where. https://dequeuniversity.com/rules/axe */
async function barriers (page: Page, within: string, options = {}): Promise<string[]> {
  if (!await page.evaluate('"axe" in window')) await page.evaluate(axe)
  const violations = await page.evaluate<{ impact: string, id: string, nodes: { target: string[], html: string }[] }[]>(
    `axe.run(document.querySelectorAll('${within}'), ${JSON.stringify({ resultTypes: ['violations'], ...options })})` +
    '.then(({ violations }) => violations)')
  return violations.filter(({ impact }) => ['critical', 'serious'].includes(impact))
    .flatMap(({ id, nodes }) => nodes.map(({ target, html }) => `${id}: ${target.join(' ')} ${html.slice(0, 100)}`))
}

const operation = (page: Page, operationId: string) => page.locator(`.opblock[id$="-${operationId}"]`)

async function authorize (page: Page) {
  await page.locator('.scheme-container .authorize').click()
  await page.locator('.auth-container input').waitFor()
  await page.keyboard.type(TOKEN) // the cursor is there
  await page.keyboard.press('Enter')
  await page.locator('.auth-container [aria-label="Remove authorization"]').waitFor()
  await page.keyboard.press('Escape')
  await page.locator('.modal-ux').waitFor({ state: 'detached' })
  // The keyboard goes on where it was.
  await page.locator('.scheme-container .authorize:focus').waitFor()
}

const authorized = async (page: Page) => await page.locator('.scheme-container .authorize.locked').count() === 1

async function reload (page: Page) {
  await page.reload()
  await page.locator('.opblock').first().waitFor()
}

const DARK = 'rgb(28, 32, 34)'
const backgroundOf = (page: Page) => page.evaluate<string>('getComputedStyle(document.body).backgroundColor')

/** What stands above the page. */
const noteOf = (page: Page) => page.evaluate<string>('getComputedStyle(document.body, "::before").content')

/** Opens an operation, sends it as the page proposes it, and reads what the page then shows. */
async function execute (page: Page, operationId: string) {
  const block = operation(page, operationId)
  await block.locator('.opblock-summary-control').click()
  await block.locator('.execute').click()
  const live = block.locator('.live-responses-table')
  await live.waitFor()
  return {
    block,
    live,
    status: (await live.locator('.response .response-col_status').innerText()).trim(),
    text: await live.locator('.response .highlight-code code').first().innerText()
  }
}

t.test('the docs page in the sandbox, over plain http and any host name', { skip }, async (t) => {
  const { page, reopen, faults, weight, sandbox } = await openDocs(t, { host: HOST })
  const cold = weight()
  /** What should not have happened since it was asked last. */
  const newFaults = () => faults.splice(0)

  await t.test('the page shows the contract, in its order', async (t) => {
    t.strictSame([new URL(page.url()).hostname, new URL(page.url()).pathname], [HOST, DOCS_PATH])
    t.equal(await page.title(), document.info.title)
    t.match(await page.locator('.info .title').innerText(), document.info.title)
    t.match(await page.locator('.info__extdocs').getAttribute('href'), /\/spot-api\/tree\/master\/docs$/)

    const shown = await page.locator('.opblock-tag-section').evaluateAll((sections) => sections.map((section) => ({
      tag: section.querySelector('[data-tag]')?.getAttribute('data-tag'),
      operations: [...section.querySelectorAll('.opblock')].map((block) => [
        block.querySelector('.opblock-summary-method')?.textContent?.toLowerCase(),
        block.querySelector('[data-path]')?.getAttribute('data-path'),
        block.id.split('-').at(-1)
      ])
    })))
    t.strictSame(shown, documented(), 'tags, and the operations of each, stand as in the document; none is missing')

    await screenshot(page, 'docs')
    t.strictSame(newFaults(), [])
  })

  await t.test('in the light and in the dark, with everything open, anybody can use it', async (t) => {
    const open = ['createElastigroup', 'deleteElastigroup']
    const toggle = (operationId: string) => operation(page, operationId).locator('.opblock-summary-control').click()
    for (const operationId of open) await toggle(operationId)
    const create = operation(page, 'createElastigroup')
    await create.locator('textarea').waitFor()
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      // All rules in the dark, on the whole page. In the light it is the same page in other colours.
      const [within, rules] = colorScheme === 'dark' ? ['body', {}] : [OPEN, { runOnly: ['color-contrast'] }]
      await screenshot(page, `docs-${colorScheme}`)
      t.strictSame(await barriers(page, within, rules), [], colorScheme)
      await page.locator('.scheme-container .authorize').click()
      await page.locator('.auth-container input').waitFor()
      await screenshot(page, `docs-${colorScheme}-dialog`)
      t.strictSame(await barriers(page, '.dialog-ux', rules), [], `${colorScheme}, a dialog`)
      await page.keyboard.press('Escape')
      await page.locator('.modal-ux').waitFor({ state: 'detached' })
    }
    t.equal(await backgroundOf(page), DARK)
    await create.locator('.opblock-section-request-body .tablinks', { hasText: 'Schema' }).click()
    const model = create.locator('.opblock-section-request-body .model-container')
    await model.waitFor()
    t.strictSame(await barriers(page, '.model-container'), [], 'dark, a schema')
    t.match(await model.innerText(), /Name of the group/, 'scalars are shown without a click')
    await page.emulateMedia({ colorScheme: null })
    t.not(await backgroundOf(page), DARK)
    for (const operationId of open) await toggle(operationId)
    t.strictSame(newFaults(), [])
  })

  await t.test('a visitor authorizes, lists and creates', async (t) => {
    await authorize(page)
    t.ok(await authorized(page))

    const listed = await execute(page, 'listElastigroups')
    t.equal(listed.status, '200')
    t.ok(JSON.parse(listed.text).length > 0, 'the groups of the account are shown')
    await listed.block.locator('.opblock-summary-control').click()

    const created = await execute(page, 'createElastigroup')
    t.equal(created.status, '201')
    t.match(JSON.parse(created.text).id, /^sig-/)
    const { group } = sandbox.transcript.at(-1)?.body as { group: object }
    t.match(JSON.parse(created.text), group, 'what went to Spot came back')
    await created.live.scrollIntoViewIfNeeded()
    await screenshot(page, 'docs-result')
    t.strictSame(newFaults(), [])
  })

  await t.test('a reload keeps the token, and costs next to nothing', async (t) => {
    weight()
    await page.emulateMedia({ colorScheme: 'dark' })
    await reload(page)
    const again = weight()
    t.equal(await backgroundOf(page), DARK, 'dark from the start')
    await page.emulateMedia({ colorScheme: null })
    t.comment(`the page weighs ${cold} bytes, a reload ${again}`)
    t.ok(cold < 600_000 && again < 10_000)
    t.ok(await authorized(page))
    t.match(await noteOf(page), /sandbox/i, 'the sandbox says what it is')
    t.strictSame(newFaults(), [])
  })

  await t.test('the page fits a phone', async (t) => {
    const phone = await reopen({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true })
    await screenshot(phone, 'docs-phone')
    await authorize(phone)
    const { live, status } = await execute(phone, 'listInstances')
    t.equal(status, '200')
    await operation(phone, 'deleteElastigroup').locator('.opblock-summary-control').click()
    await live.scrollIntoViewIfNeeded()
    await screenshot(phone, 'docs-phone-result')
    const update = operation(phone, 'updateElastigroup')
    await update.locator('.opblock-summary-control').click()
    await update.locator('.opblock-section-request-body .tablinks', { hasText: 'Schema' }).click()
    const model = update.locator('.opblock-section-request-body .model-container')
    await model.locator('tr', { hasText: /^capacity/ }).locator('.model-box-control').click()
    await model.getByText('Scaling never goes below this.').scrollIntoViewIfNeeded()
    await screenshot(phone, 'docs-phone-schema')
    t.ok(await model.evaluate((model) => model.scrollWidth <= model.clientWidth), 'nor is a schema')
    t.strictSame(await phone.evaluate('[innerWidth, document.documentElement.scrollWidth]'), [390, 390],
      'it is laid out for its width, and nothing has to be scrolled sideways')
    t.strictSame(await barriers(phone, OPEN), [])
    t.strictSame(newFaults(), [])
  })

  await t.test('it can be filtered by any word of an operation', async (t) => {
    const filter = page.locator('.operation-filter-input')
    const shown = () => page.locator('.opblock')
      .evaluateAll((blocks) => blocks.map(({ id }) => id.split('-').at(-1)))
    await filter.fill('roll stop')
    await operation(page, 'ping').waitFor({ state: 'detached' })
    t.strictSame(await shown(), ['stopRoll'])
    await filter.fill('')
    await operation(page, 'ping').waitFor()
  })

  await t.test('replies link to the problems that they can be, and each link leads somewhere', async (t) => {
    const block = operation(page, 'getElastigroup')
    await block.locator('.opblock-summary-control').click()
    const notFound = block.locator('tr.response[data-code="404"]')
    await notFound.locator('a[href$="/docs/errors.md#resource-not-found"]').waitFor()
    await notFound.locator('.tablinks', { hasText: 'Schema' }).click()
    const links = notFound.locator('.model-container a[href*="/docs/errors.md#"]')
    await links.first().waitFor()
    const names = await links.evaluateAll((links) => links.map((link) => link.getAttribute('href')?.split('#')[1]))
    t.strictSame(names.sort(), Object.keys(problems).sort())
    const errors = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8')
    for (const name of names) t.match(errors, `<a id="${name}"></a>`)
    await block.locator('.opblock-summary-control').click()
  })

  await t.test('markup from Spot is shown, not rendered', async (t) => {
    const markup = '</code></pre><img src=x onerror="alert(1)"><script>alert(2)</script>[x](javascript:alert(3))'
    const group = { id: 'sig-00000001', name: markup }
    const errors = [{ code: markup, message: markup }]
    for (const [status, response, operationId] of [
      [200, { items: [group], count: 1 }, 'listElastigroups'],
      [400, { errors }, 'getElastigroup']
    ] as const) {
      sandbox.faults.inject({ status, body: { request: {}, response: { status: { code: status }, ...response } } })
      const reply = await execute(page, operationId)
      t.equal(reply.status, String(status))
      t.match(reply.text, '<script>alert(2)</script>')
      t.equal(await reply.live.locator('img, script, a[href^="javascript:"]').count(), 0)
    }
    t.strictSame(newFaults().filter((fault) => !/status of 400/.test(fault)), [])
  })
})

t.test('in front of real accounts updates are preset with a description, and a reload forgets the token', {
  skip
}, async (t) => {
  const { page, faults } = await openDocs(t, { sandbox: false })
  for (const operationId of ['updateElastigroup', 'updateInstance']) {
    const block = operation(page, operationId)
    await block.locator('.opblock-summary-control').click()
    const body = block.locator('textarea')
    await body.waitFor()
    t.strictSame(Object.keys(JSON.parse(await body.inputValue())), ['description'], operationId)
  }
  await authorize(page)
  t.ok(await authorized(page))
  await reload(page)
  t.notOk(await authorized(page))
  t.notMatch(await page.evaluate('JSON.stringify({ ...localStorage, ...sessionStorage })'), TOKEN)
  t.notMatch(await noteOf(page), /sandbox/i)
  t.strictSame(faults, [])
})

t.test('a page of another origin calls the API, if it is listed', { skip }, async (t) => {
  const pages = createServer((_, response) => {
    response.setHeader('content-type', 'text/html').end('<title>portal</title>')
  })
  await once(pages.listen(0, LOOPBACK), 'listening')
  t.teardown(() => pages.close())
  const portal = `http://${LOOPBACK}:${(pages.address() as AddressInfo).port}`
  const context = await browser.newContext()
  t.teardown(() => context.close())
  const page = await context.newPage()
  await page.goto(portal)
  const listed = await start(t, { configuration: { cors: [portal] } })
  const unlisted = await start(t, { configuration: { cors: ['https://portal.example.org'] } })

  /** What the page gets to see. */
  const call = (url: string, init: object = {}) => page.evaluate(async ([url, init]) => {
    const answer = await fetch(url as string, init as object).catch(() => undefined)
    if (!answer) return 'nothing'
    const named = ['etag', 'link', 'location', 'retry-after', 'x-request-id', 'idempotency-replayed', 'cache-status']
    return { status: answer.status, seen: named.filter((name) => answer.headers.has(name)), json: await answer.json() }
  }, [url, init] as const)
  const headers = { 'X-Auth-Token': TOKEN, 'Content-Type': 'application/json' }
  const list = `${listed.url}/v1/spot/demo/elastigroups?limit=1`
  t.match(await call(list, { headers }), { status: 200, seen: ['etag', 'link', 'x-request-id', 'cache-status'] })
  t.match(await call(list), { status: 401, json: { title: /X-Auth-Token/ } }, 'a problem can be read')
  const group = { name: 'from a page', strategy: {}, capacity: { minimum: 0, target: 0, maximum: 0 }, compute: {} }
  const create = { method: 'POST', headers, body: JSON.stringify(group) }
  t.match(await call(`${listed.url}/v1/spot/demo/elastigroups`, create), {
    status: 201, seen: ['location', 'x-request-id'], json: { name: 'from a page' }
  })
  t.equal(await call(list.replace(listed.url, unlisted.url), { headers }), 'nothing')
  t.equal(unlisted.sandbox.transcript.length, 0, 'it does not get past the preflight')
})

t.test('the content security policy lets the docs page use nothing but this server', async (t) => {
  const { request } = await start(t)
  for (const path of [DOCS_PATH, `${DOCS_PATH}/static/swagger-initializer.js`]) {
    const { status, headers, text } = await request('GET', path, { token: null })
    t.equal(status, 200)
    const policy = String(headers['content-security-policy'])
    t.match(policy, "default-src 'none'")
    t.notMatch(policy, /unsafe|https?:|\*|upgrade-insecure-requests/)
    t.notMatch(text, KEY)
    t.notMatch(text, 'vendor-token-for-tests')
  }
})

// Ended by itself, the file would wait for the browser, and the browser for the end of the file.
t.end()

/** Tags and operations as the document orders them. */
function documented () {
  const { tags } = document as unknown as { tags: { name: string }[] }
  const operations = Object.entries(document.paths).flatMap(([path, item]) => Object.entries(item)
    .filter(([method]) => (METHODS as readonly string[]).includes(method))
    .map(([method, operation]) => ({ path, method, ...operation as { operationId: string, tags: string[] } })))
  return tags.map(({ name }) => ({
    tag: name,
    operations: operations
      .filter(({ tags }) => tags[0] === name)
      .map(({ method, path, operationId }) => [method, path, operationId])
  }))
}
