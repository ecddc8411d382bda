import { expect, inject, onTestFinished, test } from 'vitest'
import { openServerDatabase } from '../../src/db/open-server.js'
import { ADA, call, logInAda, registerAda } from '../support/call.js'
import { launchKeyward, type RunningKeyward, runKeyward, startKeyward } from '../support/keyward-process.js'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js'
import { createServerDatabase } from '../support/test-database.js'
import { waitUntil } from '../support/wait-until.js'

/** The documented bound is 2 s; the rest is for a machine under load. */
const ANSWERED_WITHIN_MS = 3_500
const GONE_WITHIN_MS = 12_000

async function makeDatabase(): Promise<string> {
  const { url, drop } = await createServerDatabase()
  onTestFinished(drop)
  return url
}

/** The same database, by way of the proxy. */
function through(proxy: TcpProxy, url: string): string {
  const detour = new URL(url)
  detour.hostname = '127.0.0.1'
  detour.port = String(proxy.port)
  return detour.href
}

async function startBehindProxy(): Promise<{ keyward: RunningKeyward; proxy: TcpProxy; token: string }> {
  const url = await makeDatabase()
  const proxy = await startTcpProxy(Number(new URL(url).port))
  const keyward = await startKeyward({ env: { DATABASE_URL: through(proxy, url) } })
  return { keyward, proxy, token: await registerAda(keyward) }
}

/** Everything that needs the database, at once. */
const askEverything = (keyward: RunningKeyward, token: string) =>
  Promise.all([
    logInAda(keyward),
    call(keyward, 'POST /api/auth/register', { body: { ...ADA, email: 'new@example.com' } }),
    call(keyward, 'GET /api/auth/profile', { token }),
    call(keyward, 'PUT /api/auth/profile', { token, body: { name: 'Augusta' } }),
    call(keyward, 'GET /health/ready'),
  ])

const recovers = (keyward: RunningKeyward): Promise<true> =>
  waitUntil('the database is used again', async () => (await logInAda(keyward)).status === 200)

test.each([
  ['swallows everything', 'blackhole'],
  ['refuses every connection', 'refuse'],
] as const)(
  'while the database %s requests hear 503 soon, and all is well once it is back',
  async (_, mode) => {
    const { keyward, proxy, token } = await startBehindProxy()
    await proxy.switchTo(mode)
    // Once over connections from before, once over new ones.
    for (let round = 0; round < 2; round++) {
      const asked = performance.now()
      const answers = await askEverything(keyward, token)
      expect(performance.now() - asked).toBeLessThan(ANSWERED_WITHIN_MS)
      for (const { status, headers, body } of answers) {
        expect(status).toBe(503)
        expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
        expect(headers.get('content-type')).toContain('application/problem+json')
        expect(body).toMatchObject({ status: 503, code: 'database_unavailable' })
      }
      expect((await call(keyward, 'GET /health/live')).status).toBe(200)
    }
    await proxy.switchTo('forward')
    await recovers(keyward)
    expect((await call(keyward, 'GET /health/ready')).status).toBe(200)
    // What was refused has not happened.
    expect((await call(keyward, 'GET /api/auth/profile', { token })).body.name).toBe(ADA.name)
  },
)

test('connections that break in the middle of a query cost that request only', async () => {
  const { keyward, proxy, token } = await startBehindProxy()
  await proxy.switchTo('blackhole')
  const asked = askEverything(keyward, token)
  await waitUntil('queries are under way', () => proxy.swallowed() > 0)
  await proxy.switchTo('refuse')
  for (const { status } of await asked) expect(status).toBe(503)
  await proxy.switchTo('forward')
  await recovers(keyward)
  expect(await keyward.stop()).toBe(0)
})

test('connections that the server ends while they are idle are replaced', async () => {
  const url = await makeDatabase()
  const keyward = await startKeyward({ env: { DATABASE_URL: url } })
  const token = await registerAda(keyward)
  const operator = openServerDatabase(inject('serverUrl'), () => {})
  onTestFinished(() => operator.close())
  const ended = await operator.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and application_name = 'keyward'",
    [new URL(url).pathname.slice(1)],
  )
  expect(ended.length).toBeGreaterThan(0)
  await waitUntil('it has noticed', () => keyward.output().includes('an idle database connection broke'))
  expect((await call(keyward, 'GET /api/auth/profile', { token })).status).toBe(200)
})

test('it stops in order and in time while the database swallows everything', async () => {
  const { keyward, proxy, token } = await startBehindProxy()
  await proxy.switchTo('blackhole')
  const asked = askEverything(keyward, token)
  await waitUntil('queries are under way', () => proxy.swallowed() > 0)
  const told = performance.now()
  expect(await keyward.stop()).toBe(0)
  expect(performance.now() - told).toBeLessThan(GONE_WITHIN_MS)
  for (const { status } of await asked) expect(status).toBe(503)
})

test('started before its database it waits, says so, and then works', async () => {
  const url = await makeDatabase()
  const proxy = await startTcpProxy(Number(new URL(url).port), 'refuse')
  const keyward = launchKeyward({ env: { PORT: '0', DATABASE_URL: through(proxy, url) } })
  await waitUntil('it waits', () => keyward.output().includes('waiting for the database'))
  expect(keyward.output()).toContain('ECONNREFUSED')
  expect(keyward.output()).not.toContain('listening')
  await proxy.switchTo('forward')
  const address = await waitUntil('it listens', () => /"url":"([^"]+)"/.exec(keyward.output()))
  await registerAda({ url: address[1] ?? '' })
})

test('a database that never comes ends the start in words, without the password', async () => {
  const url = await makeDatabase()
  const proxy = await startTcpProxy(Number(new URL(url).port), 'refuse')
  const { code, stderr, stdout } = await runKeyward({ env: { DATABASE_URL: through(proxy, url) } })
  expect(code).toBe(1)
  expect(stderr).toMatch(/^keyward: The database cannot be used: .*ECONNREFUSED/)
  expect(stdout + stderr).not.toContain(new URL(url).password)
})

test.each([
  ['password', (url: URL) => (url.password = 'hunter2'), 'password authentication failed'],
  ['role', (url: URL) => (url.username = 'nobody_at_all'), 'password authentication failed'],
  ['database', (url: URL) => (url.pathname = '/not_there'), 'database "not_there" does not exist'],
])('a wrong %s for the database fails at once, in words without the password', async (_, change, words) => {
  const url = new URL(await makeDatabase())
  change(url)
  const { code, stdout, stderr } = await runKeyward({ env: { DATABASE_URL: url.href } })
  expect(code).toBe(1)
  expect(stderr).toMatch(/^keyward: The database cannot be used: /)
  expect(stderr).toContain(words)
  expect(stdout + stderr).not.toContain(url.password)
  expect(stdout).not.toContain('waiting for the database')
})
