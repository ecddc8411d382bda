import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import type { Database } from '../../src/db/database.js'
import { migrate } from '../../src/db/migrate.js'
import { openServerDatabase } from '../../src/db/open-server.js'
import {
  createGuard,
  type FollowedRevocations,
  type FollowOptions,
  followRevocations,
  type LocalGuard,
} from '../../src/guard/index.js'
import { CLAIMS } from '../core/sample-token.js'
import { catchUncaught } from '../support/catch-uncaught.js'
import { freePort } from '../support/postgres-server.js'
import { buildTestApp, PRESENT, SECRET, type TestApp, type User } from '../support/test-app.js'
import { createServerDatabase } from '../support/test-database.js'

const FEED_TOKEN = 'q2Zt7XwB9mKc4VnR8sLdYh3PfGj6UaEo'

let drop: () => Promise<void>
let database: Database
let port: number
let keyward: TestApp
const followed: FollowedRevocations[] = []

beforeAll(async () => {
  const server = await createServerDatabase()
  drop = server.drop
  database = openServerDatabase(server.url, () => {})
  await migrate(database)
  port = await freePort()
})
afterAll(async () => {
  await database.close()
  await drop()
})

beforeEach(() => startKeyward())
afterEach(async () => {
  for (const each of followed.splice(0)) each.stop()
  await keyward.server.close()
})

async function startKeyward(): Promise<void> {
  keyward = await buildTestApp(database, {
    startAt: PRESENT,
    environment: { REVOCATION_FEED_TOKEN: FEED_TOKEN },
  })
  await keyward.server.listen({ port, host: '127.0.0.1' })
}

/** A guard in another service. */
function follow(options: Partial<FollowOptions> = {}): FollowedRevocations & { guard: LocalGuard } {
  const following = followRevocations({
    url: `http://127.0.0.1:${port}`,
    token: FEED_TOKEN,
    maxStalenessSeconds: 2,
    ...options,
  })
  followed.push(following)
  return { ...following, guard: createGuard({ secret: SECRET, revocations: following.check }) }
}

function verdict(guard: LocalGuard, { token }: User): string {
  const judged = guard.check(`Bearer ${token}`)
  return judged.ok ? 'let in' : judged.code
}

const eventually = (ask: () => string) => expect.poll(ask, { timeout: 15_000, interval: 20 })

test('before the first load it vouches for nobody, and then knows everyone who has logged out before', async () => {
  const [user, ended] = [await keyward.newUser(), await keyward.newUser()]
  await ended.post('/api/auth/logout')
  const { guard, check, ready } = follow()
  expect(check(user.sessionId)).toBe('stale')
  expect(verdict(guard, user)).toBe('revocation_stale')
  await ready
  expect(check(user.sessionId)).toBe('live')
  expect(check(ended.sessionId)).toBe('ended')
  expect([verdict(guard, user), verdict(guard, ended)]).toEqual(['let in', 'invalid_token'])
})

test.each([1, 2, 3, 10])('hears of a log-out while it is running, with a limit of %i s', async (limit) => {
  const [user, stranger] = [await keyward.newUser(), await keyward.newUser()]
  const { guard, ready } = follow({ maxStalenessSeconds: limit })
  await ready
  expect(verdict(guard, user)).toBe('let in')
  await user.post('/api/auth/logout')
  await eventually(() => verdict(guard, user)).toBe('invalid_token')
  expect(verdict(guard, stranger)).toBe('let in')
})

test('goes on when the server was restarted', async () => {
  const user = await keyward.newUser()
  const early = await keyward.newUser()
  await early.post('/api/auth/logout')
  const { guard, ready } = follow()
  await ready
  await keyward.server.close()
  expect(verdict(guard, early)).toBe('invalid_token')
  await startKeyward()
  const successor = await keyward.login(user)
  await keyward.post('/api/auth/logout', undefined, user.token)
  await eventually(() => verdict(guard, user)).toBe('invalid_token')
  await eventually(() => verdict(guard, successor)).toBe('let in')
  expect(verdict(guard, early)).toBe('invalid_token')
})

test('vouches for nobody when the server is gone, but still knows who has logged out', async () => {
  const [user, ended] = [await keyward.newUser(), await keyward.newUser()]
  await ended.post('/api/auth/logout')
  const errors: unknown[] = []
  const { guard, ready } = follow({ onError: (error) => errors.push(error) })
  await ready
  await keyward.server.close()
  await eventually(() => verdict(guard, user)).toBe('revocation_stale')
  expect(verdict(guard, ended)).toBe('invalid_token')
  expect(errors.length).toBeGreaterThan(0)
  expect(String(errors)).not.toContain(FEED_TOKEN)
})

test('a listener that fails does not end the following: its error goes where uncaught ones go', async () => {
  const user = await keyward.newUser()
  await keyward.server.close()
  const [uncaught, restore] = catchUncaught()
  onTestFinished(restore)
  const { guard, ready } = follow({
    onError: () => {
      throw new Error('cannot tell')
    },
  })
  await expect.poll(() => uncaught[0]).toEqual(new Error('cannot tell'))
  await startKeyward()
  await ready
  expect(verdict(guard, user)).toBe('let in')
})

test('accepts tokens without news if told so', async () => {
  const [user, ended] = [await keyward.newUser(), await keyward.newUser()]
  await ended.post('/api/auth/logout')
  const strict = follow()
  const lax = follow({ whenStale: 'accept' })
  await Promise.all([strict.ready, lax.ready])
  await keyward.server.close()
  await eventually(() => verdict(strict.guard, user)).toBe('revocation_stale')
  expect([verdict(lax.guard, user), verdict(lax.guard, ended)]).toEqual(['let in', 'invalid_token'])
})

test('with a wrong service token it learns nothing, says so, and vouches for nobody', async () => {
  const user = await keyward.newUser()
  const errors: unknown[] = []
  const { guard } = follow({ token: 'x'.repeat(32), onError: (error) => errors.push(error) })
  await expect.poll(() => errors.length).toBeGreaterThan(1)
  expect(String(errors[0])).toContain('401')
  expect(verdict(guard, user)).toBe('revocation_stale')
})

test('with a limit that is no number it vouches for nobody', async () => {
  const user = await keyward.newUser()
  const errors: unknown[] = []
  const { guard } = follow({ maxStalenessSeconds: Number.NaN, onError: (error) => errors.push(error) })
  expect(verdict(guard, user)).toBe('revocation_stale')
  await expect.poll(() => errors.length).toBeGreaterThan(1)
  expect(verdict(guard, user)).toBe('revocation_stale')
})

test('an answer that does not say how old its news are makes it vouch for nobody', async () => {
  const news = { last_seq: 0, now: PRESENT / 1000, revocations: [], more: false }
  const odd = createServer((_, response) => void response.end(JSON.stringify(news))).listen(0, '127.0.0.1')
  onTestFinished(() => void odd.close())
  await once(odd, 'listening')
  const { check, ready } = follow({ url: `http://127.0.0.1:${(odd.address() as AddressInfo).port}` })
  await ready
  expect(check(CLAIMS.sid)).toBe('stale')
})

test('asks no more once it is stopped', async () => {
  const user = await keyward.newUser()
  const errors: unknown[] = []
  const { guard, ready, stop } = follow({ onError: (error) => errors.push(error) })
  await ready
  stop()
  await user.post('/api/auth/logout')
  // Its news grow old although the server is there.
  await eventually(() => verdict(guard, user)).toBe('revocation_stale')
  expect(errors).toEqual([])
})

test.each([
  'http://auth.internal',
  'http://203.0.113.7:8000',
  'http://localhost.example',
  'ftp://127.0.0.1',
  'https://ada:secret@auth.example.com',
  'auth.example.com',
])('nobody can be followed at the address %j', (url) => {
  expect(() => follow({ url })).toThrow(RangeError)
})

test('plain http to another machine has to be asked for', () => {
  const { check } = follow({ url: 'http://auth.invalid', allowPlainHttp: true, onError: () => {} })
  expect(check(CLAIMS.sid)).toBe('stale')
})
