import { expect, onTestFinished, test } from 'vitest'
import { createGuard, followRevocations } from '../../src/guard/index.js'
import { type RunningKeyward, startKeyward } from '../support/keyward-process.js'
import { startPostgres } from '../support/postgres-server.js'
import { PASSWORD, SECRET } from '../support/test-app.js'
import { startTcpProxy } from '../support/tcp-proxy.js'
import { createServerDatabase } from '../support/test-database.js'
import { waitUntil } from '../support/wait-until.js'

const FEED_TOKEN = 'Qm4rTs9WbYc3DfGh6KjEaJ8vXk2pQz7L'

function startNode(databaseUrl: string, env: Record<string, string> = {}): Promise<RunningKeyward> {
  return startKeyward({
    env: {
      NODE_ENV: 'test',
      BCRYPT_COST: '4',
      BETTER_AUTH_SECRET: SECRET,
      REVOCATION_FEED_TOKEN: FEED_TOKEN,
      DATABASE_URL: databaseUrl,
      ...env,
    },
  })
}

async function newDatabase(): Promise<string> {
  const { url, drop } = await createServerDatabase()
  onTestFinished(drop)
  return url
}

let users = 0

async function register(node: RunningKeyward): Promise<string> {
  const reply = await fetch(`${node.url}/api/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: `node-user-${++users}@example.com`, name: 'Somebody', password: PASSWORD }),
  })
  return ((await reply.json()) as { access_token: string }).access_token
}

async function status(
  node: RunningKeyward,
  token: string,
  method = 'GET',
  path = 'profile',
): Promise<number> {
  const reply = await fetch(`${node.url}/api/auth/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
  })
  await reply.text()
  return reply.status
}

const logout = (node: RunningKeyward, token: string): Promise<number> => status(node, token, 'POST', 'logout')

test('a log-out on one node ends the session there at once, on another node and at a guard elsewhere', async () => {
  const databaseUrl = await newDatabase()
  const [a, b] = [await startNode(databaseUrl), await startNode(databaseUrl)]
  const followed = followRevocations({ url: b.url, token: FEED_TOKEN })
  onTestFinished(() => followed.stop())
  await followed.ready
  const guard = createGuard({ secret: SECRET, revocations: followed.check })

  const token = await register(a)
  expect(await status(b, token)).toBe(200)
  expect(guard.check(`Bearer ${token}`).ok).toBe(true)

  expect(await logout(a, token)).toBe(200)
  expect(await status(a, token)).toBe(401)
  await waitUntil('the other node knows', async () => (await status(b, token)) === 401)
  await waitUntil('the guard knows', () => !guard.check(`Bearer ${token}`).ok)
})

test('where a pooler swallows notifications, polling brings the news', async () => {
  const databaseUrl = await newDatabase()
  const a = await startNode(databaseUrl)
  const deaf = await startNode(databaseUrl, { DATABASE_DIRECT_URL: 'postgresql://nobody@127.0.0.1:1/none' })
  const token = await register(a)
  expect(await logout(a, token)).toBe(200)
  await waitUntil('the deaf node knows', async () => (await status(deaf, token)) === 401)
})

test('a node that starts later knows what ended before', async () => {
  const databaseUrl = await newDatabase()
  const a = await startNode(databaseUrl)
  const token = await register(a)
  expect(await logout(a, token)).toBe(200)
  await a.stop()
  const restarted = await startNode(databaseUrl)
  expect(await status(restarted, token)).toBe(401)
})

test('a restart of PostgreSQL brings no ended session back, and later ends are heard of again', async () => {
  const server = await startPostgres()
  onTestFinished(() => server.stop())
  const [a, b] = [await startNode(server.url), await startNode(server.url)]
  const [ended, live] = [await register(a), await register(a)]
  expect(await logout(a, ended)).toBe(200)
  await waitUntil('b hears of it', async () => (await status(b, ended)) === 401)

  await server.restart()
  await waitUntil('a reaches the database again', async () => (await status(a, live)) === 200)
  await waitUntil('b reaches the database again', async () => (await status(b, live)) === 200)
  expect([await status(a, ended), await status(b, ended)]).toEqual([401, 401])

  expect(await logout(a, live)).toBe(200)
  await waitUntil('b hears of it', async () => (await status(b, live)) === 401)
})

test('a node that cannot read the feed any more refuses tokens until it can', async () => {
  const databaseUrl = new URL(await newDatabase())
  const proxy = await startTcpProxy(Number(databaseUrl.port))
  databaseUrl.port = String(proxy.port)
  const node = await startNode(databaseUrl.href, { REVOCATION_MAX_STALENESS: '1' })
  const token = await register(node)
  await proxy.switchTo('blackhole')
  // Without a database the profile is a 503 as well; the code tells the two apart.
  await waitUntil('tokens are refused', async () => {
    const reply = await fetch(`${node.url}/api/auth/profile`, {
      headers: { authorization: `Bearer ${token}` },
    })
    return ((await reply.json()) as { code?: string }).code === 'revocation_stale'
  })
  await proxy.switchTo('forward')
  await waitUntil('tokens are accepted again', async () => (await status(node, token)) === 200)
})
