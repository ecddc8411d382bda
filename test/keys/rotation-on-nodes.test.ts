import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { signAccessToken } from '../../src/core/access-token.js'
import type { Database } from '../../src/db/database.js'
import { migrate } from '../../src/db/migrate.js'
import { openServerDatabase } from '../../src/db/open-server.js'
import { Refusal } from '../../src/errors.js'
import { createGuard } from '../../src/guard/index.js'
import { buildTestApp, PRESENT, readClaims, type TestApp } from '../support/test-app.js'
import { createServerDatabase } from '../support/test-database.js'
import { newPrivateKey } from '../support/new-key.js'

const TTL = 900
const SETTINGS = {
  BETTER_AUTH_SECRET: '',
  JWT_ALGORITHM: 'EdDSA',
  KEY_ENCRYPTION_SECRET: 'tB6yWq1ZsXn8RmVc4LdKf7PjHg2UeAo9',
  ACCESS_TOKEN_TTL: String(TTL),
}

let url: string
let drop: () => Promise<void>
const nodes: TestApp[] = []
const databases: Database[] = []

beforeEach(async () => {
  ;({ url, drop } = await createServerDatabase())
  await migrate(connect())
})
afterEach(async () => {
  for (const { server } of nodes.splice(0)) await server.close()
  for (const database of databases.splice(0)) await database.close()
  await drop()
})

function connect(): Database {
  const database = openServerDatabase(url, () => {})
  databases.push(database)
  return database
}

interface NodeOptions {
  /** Whether notifications reach it. */
  readonly isDeaf?: boolean
  readonly intercept?: (database: Database) => Database
}

async function startNode({ isDeaf = false, intercept }: NodeOptions = {}): Promise<TestApp> {
  const node = await buildTestApp(connect(), {
    startAt: PRESENT,
    environment: { ...SETTINGS, ...(!isDeaf && { DATABASE_URL: url }) },
    ...(intercept && { intercept }),
  })
  nodes.push(node)
  await node.server.ready()
  return node
}

const publishedBy = async (node: TestApp): Promise<string[]> =>
  (await node.get('/.well-known/jwks.json')).body.keys.map(({ kid }: { kid: string }) => kid)
const kidOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()).kid
const rotate = (node: TestApp) => node.runKeyCommand({ action: 'keys rotate', kid: null })
const codeAt = async (node: TestApp, token: string): Promise<string> => {
  const { status, body } = await node.get('/api/auth/profile', token)
  return status === 200 ? 'let in' : body.code
}

test('two nodes that start at once on an empty database agree on one key', async () => {
  const [a, b] = await Promise.all([startNode(), startNode()])
  expect(await publishedBy(a)).toHaveLength(1)
  expect(await publishedBy(b)).toEqual(await publishedBy(a))
})

test('no token fails anywhere while the key is replaced under load', async () => {
  const [a, b] = [await startNode(), await startNode()]
  await b.server.listen({ host: '127.0.0.1', port: 0 })
  const { port } = b.server.server.address() as AddressInfo
  let now = PRESENT
  // A guard in another process, which hears of keys from b alone, when its copy is too old.
  const guard = createGuard({
    jwksUrl: `http://127.0.0.1:${port}/.well-known/jwks.json`,
    clock: () => now,
    monotonicMs: () => now,
  })
  const user = await a.newUser()
  const tokens: string[] = []
  const signers = new Set<string>()
  const failures: string[] = []
  let checks = 0

  async function checkEverywhere(token: string): Promise<void> {
    const verdict = await guard.check(`Bearer ${token}`)
    const outcomes = [await codeAt(a, token), await codeAt(b, token), verdict.ok ? 'let in' : verdict.code]
    checks += outcomes.length
    for (const outcome of outcomes)
      if (outcome !== 'let in') failures.push(`${outcome} at ${now - PRESENT} ms`)
  }

  for (let step = 0; step < 60; step++) {
    if (step === 2) {
      await rotate(a)
      await expect.poll(async () => (await publishedBy(b)).length).toBe(2)
    }
    for (const node of [a, b]) {
      const { token } = await node.login(user)
      tokens.push(token)
      signers.add(kidOf(token))
    }
    const live = tokens.filter((token) => readClaims(token).exp * 1000 > now)
    // Of all that are still good: the oldest, which the old key has signed, the newest, and some between them.
    const chosen = live.filter((_, i) => i < 2 || i >= live.length - 2 || i % 9 === 0)
    await Promise.all(chosen.map(checkEverywhere))
    now += 30_000
    for (const node of [a, b]) node.passSeconds(30)
  }
  expect(failures).toEqual([])
  expect(signers.size).toBe(2)
  expect(await publishedBy(b)).toEqual([kidOf(tokens.at(-1)!)])
  expect(checks).toBeGreaterThan(1_000)
})

test('a node that missed the notification learns of a key from its first token', async () => {
  const a = await startNode()
  const user = await a.newUser()
  const deaf = await startNode({ isDeaf: true })
  const before = await publishedBy(deaf)
  await rotate(a)
  await a.runKeyCommand({ action: 'keys retire', kid: before[0]! })
  const { token } = await a.login(user)
  expect(await publishedBy(deaf)).toEqual(before)
  expect(await codeAt(deaf, token)).toBe('let in')
  expect(await publishedBy(deaf)).toEqual([kidOf(token)])
  expect(await codeAt(deaf, user.token)).toBe('invalid_token')
})

test('a key that was retired is refused by the other node as soon as it is notified', async () => {
  const [a, b] = [await startNode(), await startNode()]
  const user = await a.newUser()
  expect(await codeAt(b, user.token)).toBe('let in')
  await rotate(a)
  await a.runKeyCommand({ action: 'keys retire', kid: kidOf(user.token) })
  expect(await codeAt(a, user.token)).toBe('invalid_token')
  await expect.poll(() => codeAt(b, user.token)).toBe('invalid_token')
})

test('made-up keys make a node read the table about once a second, however many come', async () => {
  let reads = 0
  const node = await startNode({
    isDeaf: true,
    intercept: (database) => ({
      ...database,
      query: (text, values) => {
        if (text.includes('keyward_signing_keys')) reads++
        return database.query(text, values)
      },
    }),
  })
  const user = await node.newUser()
  const [before, began] = [reads, performance.now()]
  const forge = () => signAccessToken(newPrivateKey('EdDSA'), readClaims(user.token))
  for (let burst = 0; burst < 2; burst++) {
    const codes = await Promise.all(Array.from({ length: 100 }, () => codeAt(node, forge())))
    expect(new Set(codes)).toEqual(new Set(['invalid_token']))
  }
  // The table is read every five seconds without that.
  const elapsedSeconds = (performance.now() - began) / 1000
  expect(reads - before).toBeLessThanOrEqual(2 + elapsedSeconds * 1.2)
  expect(await codeAt(node, user.token)).toBe('let in')
})

test('while the table cannot be read, a token of an unknown key is answered with 503, and others are let in', async () => {
  const state = { isBroken: false }
  const node = await startNode({
    isDeaf: true,
    intercept: (database) => ({
      ...database,
      query: (text, values) =>
        state.isBroken && text.includes('keyward_signing_keys')
          ? Promise.reject(new Refusal('database_unavailable'))
          : database.query(text, values),
    }),
  })
  const user = await node.newUser()
  state.isBroken = true
  const { status, headers, body } = await node.get(
    '/api/auth/profile',
    signAccessToken(newPrivateKey('EdDSA'), readClaims(user.token)),
  )
  expect([status, body.code, headers['retry-after']]).toEqual([503, 'keys_unavailable', '1'])
  expect(await codeAt(node, user.token)).toBe('let in')
  expect(node.logLines.filter((line) => line.includes('the signing keys cannot be read'))).toHaveLength(1)
})
