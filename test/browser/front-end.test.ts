import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, afterEach, beforeAll, expect, type TestContext, test } from 'vitest'
import { createGate, holdNext, useGateway } from '../support/gateway.js'
import { ROOT } from '../support/keyward-process.js'
import { skipBecause } from '../support/skip-because.js'
import { useSmallServer } from '../support/small-server.js'
import { PASSWORD, useTestApp } from '../support/test-app.js'
import { waitUntil } from '../support/wait-until.js'
import { findChromium } from './find-chromium.js'

const SESSIONS = 'GET /api/auth/sessions'
const REFRESH = 'POST /api/auth/refresh'
const ACCESS_TOKEN_TTL = 60

const executablePath = findChromium()
const built = mkdtempSync(join(tmpdir(), 'keyward-test-'))
afterAll(() => rmSync(built, { recursive: true, force: true }))

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' }
const frontEnd = useSmallServer(async ({ url = '/' }, response) => {
  const path = url === '/' ? '/index.html' : url
  const type = TYPES[extname(path)]
  if (type === undefined) response.writeHead(404).end()
  else response.writeHead(200, { 'content-type': type }).end(readFileSync(built + path))
})

const environment: Record<string, string> = { ACCESS_TOKEN_TTL: `${ACCESS_TOKEN_TTL}` }
beforeAll(() => {
  environment.CORS_ORIGINS = frontEnd.url
})
const app = useTestApp({ environment })
const gateway = useGateway(() => app.server)

let browser: Browser | undefined
beforeAll(async () => {
  if (executablePath === null) return
  await build({
    root: `${ROOT}/examples/front-end`,
    logLevel: 'warn',
    define: { 'import.meta.env.VITE_KEYWARD_URL': JSON.stringify(gateway.url) },
    build: { outDir: built, emptyOutDir: true },
  })
  browser = await chromium.launch({ executablePath })
})
afterAll(() => browser?.close())

const pageErrors: Error[] = []
afterEach(async () => {
  await Promise.all(browser?.contexts().map((context) => context.close()) ?? [])
  expect(pageErrors.splice(0)).toEqual([])
})

let users = 0

/** Two tabs of one browser, in which a new user is logged in. */
async function openTwoTabs(context: TestContext): Promise<[Page, Page]> {
  if (!browser) skipBecause(context, 'no Chromium in PATH, nor in the environment variable CHROMIUM')
  const profile = await browser.newContext()
  const open = async (): Promise<Page> => {
    const tab = await profile.newPage()
    tab.on('pageerror', (error) => pageErrors.push(error))
    await tab.goto(frontEnd.url)
    return tab
  }
  const first = await open()
  await first.getByLabel('E-mail').fill(`tab-${++users}@example.com`)
  await first.getByLabel('Password').fill(PASSWORD)
  await first.getByLabel('Name, for a new account').fill('Ada')
  await first.getByRole('button', { name: 'Register' }).click()
  await expectListed(first)
  const second = await open()
  await expectListed(second)
  gateway.forget()
  return [first, second]
}

const expectListed = (tab: Page, count = 1): Promise<void> =>
  tab
    .getByRole('listitem')
    .nth(count - 1)
    .waitFor()

const expectLoggedOut = (tab: Page): Promise<void> =>
  tab.getByRole('heading', { name: 'Please log in' }).waitFor()

/** Empties the list at once, and fills it again with what Keyward answers. */
async function reload(tab: Page): Promise<void> {
  await tab.locator('#sessions').evaluate((list) => list.replaceChildren())
  await tab.getByRole('button', { name: 'Reload' }).click()
}

test('shows the user after a reload, a new name in all tabs, and one’s sessions', async (context) => {
  const [first, second] = await openTwoTabs(context)
  await first.getByLabel('Name', { exact: true }).fill('Augusta')
  await first.getByRole('button', { name: 'Save' }).click()
  await second.getByRole('heading', { name: 'Hello, Augusta' }).waitFor()
  await first.reload()
  await first.getByRole('heading', { name: 'Hello, Augusta' }).waitFor()
  await app.login({ email: `tab-${users}@example.com`, password: PASSWORD })
  await reload(first)
  await expectListed(first, 2)
  await first.getByRole('button', { name: 'End' }).click()
  await first.getByRole('button', { name: 'End' }).waitFor({ state: 'detached' })
  await expectListed(first)
})

test('says why Keyward refuses', async (context) => {
  const [tab] = await openTwoTabs(context)
  await tab.getByRole('button', { name: 'Log out', exact: true }).click()
  await tab.getByLabel('E-mail').fill(`tab-${users}@example.com`)
  await tab.getByLabel('Password').fill('wrong')
  await tab.getByRole('button', { name: 'Log in' }).click()
  await tab.getByText('Invalid email or password').waitFor()
})

test('two tabs whose requests are refused at the same time refresh once, and both go on', async (context) => {
  const tabs = await openTwoTabs(context)
  for (let round = 1; round <= 3; round++) {
    app.passSeconds(3_600)
    gateway.forget()
    const gates = tabs.map(() => holdNext(gateway, SESSIONS))
    await Promise.all(tabs.map(reload))
    await Promise.all(gates.map(({ arrived }) => arrived))
    for (const gate of gates) gate.open()
    await Promise.all(tabs.map((tab) => expectListed(tab)))
    expect([round, gateway.count(REFRESH)]).toEqual([round, 1])
  }
})

test('a log-out in one tab logs the other one out', async (context) => {
  const [first, second] = await openTwoTabs(context)
  await first.getByRole('button', { name: 'Log out', exact: true }).click()
  await Promise.all([first, second].map(expectLoggedOut))
  await second.reload()
  await expectLoggedOut(second)
})

test('a page that slept in the back-forward cache during a log-out shows it on coming back', async (context) => {
  const [first, second] = await openTwoTabs(context)
  // A page under remote control is never put there, so the two things are done that make up such a sleep.
  await second.addInitScript(`addEventListener('storage', (event) => event.stopImmediatePropagation())`)
  await second.reload()
  await expectListed(second)
  await first.getByRole('button', { name: 'Log out', exact: true }).click()
  await expectLoggedOut(first)
  await second.evaluate(`dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))`)
  await expectLoggedOut(second)
})

test('a tab that dies in the middle of a refresh holds up no other', async (context) => {
  const [dying, living] = await openTwoTabs(context)
  app.passSeconds(3_600)
  const gate = createGate()
  gateway.onNext(REFRESH, async (forward) => {
    const reply = await forward()
    await gate.pass()
    return reply
  })
  await reload(dying)
  await gate.arrived
  await reload(living)
  await waitUntil('the second tab has been refused', () => gateway.count(SESSIONS) === 2)
  expect(gateway.count(REFRESH)).toBe(1)
  await dying.close()
  gate.open()
  await expectListed(living)
  app.passSeconds(3_600)
  await reload(living)
  await expectListed(living)
})

test('a session that an operator ends is over in both tabs with the next request of one', async (context) => {
  const [first, second] = await openTwoTabs(context)
  await app.runUserCommand({ action: 'logout', who: `tab-${users}@example.com`, password: null })
  await reload(first)
  await Promise.all([first, second].map(expectLoggedOut))
})
