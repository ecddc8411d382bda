import { beforeEach, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.js'
import { Refusal } from '../../src/errors.js'
import { PRESENT, useTestApp } from '../support/test-app.js'

/** Longer than the default limit of 10 s. */
const TOO_LONG_MS = 11_000

/** A database whose feed cannot be read for a while; everything else works. */
function breakableFeed() {
  const state = { isBroken: false, silenceMs: 0 }
  const intercept = (database: Database): Database => ({
    ...database,
    query: async (text, values) => {
      if (state.isBroken && text.includes('keyward_revocation_head')) {
        throw new Refusal('database_unavailable', { retryAfterSeconds: 1 })
      }
      return database.query(text, values)
    },
  })
  beforeEach(() => {
    state.isBroken = false
  })
  return {
    intercept,
    monotonicMs: () => performance.now() + state.silenceMs,
    goSilent() {
      state.isBroken = true
      state.silenceMs += TOO_LONG_MS
    },
    break() {
      state.isBroken = true
    },
    repair() {
      state.isBroken = false
    },
  }
}

describe('a server without news of ended sessions', () => {
  const feed = breakableFeed()
  const app = useTestApp({ startAt: PRESENT, ...feed })

  test('goes on for a while', async () => {
    const user = await app.newUser()
    feed.break()
    expect((await user.get('/api/auth/profile')).status).toBe(200)
  })

  test('then refuses every token with 503 until it has some', async () => {
    const user = await app.newUser()
    feed.goSilent()
    const refused = [
      await user.get('/api/auth/profile'),
      await user.put('/api/auth/profile', { name: 'Ada' }),
      await user.get('/api/auth/sessions'),
      await user.post('/api/auth/logout'),
      await user.post('/api/auth/logout-all'),
      await user.delete(`/api/auth/sessions/${user.sessionId}`),
      await user.post('/api/auth/password', { current_password: 'x', new_password: 'y' }),
    ]
    for (const { status, headers, body } of refused) {
      expect([status, body.code, headers['retry-after']]).toEqual([503, 'revocation_stale', '1'])
      expect(headers['www-authenticate']).toBeUndefined()
    }
    feed.repair()
    await expect.poll(async () => (await user.get('/api/auth/profile')).status).toBe(200)
  })

  test('still tells forged, expired and ended tokens from those it cannot judge', async () => {
    const [user, ended] = [await app.newUser(), await app.newUser()]
    await ended.post('/api/auth/logout')
    feed.goSilent()
    expect((await ended.get('/api/auth/profile')).body.code).toBe('invalid_token')
    expect((await app.get('/api/auth/profile', `${user.token}x`)).body.code).toBe('invalid_token')
    expect((await app.get('/api/auth/profile')).body.code).toBe('not_authenticated')
  })

  test('still logs people in, and says how old its news are', async () => {
    const user = await app.newUser()
    feed.goSilent()
    expect((await app.login(user)).token).toBeDefined()
    const { status, body } = await app.get('/health/ready')
    expect(status).toBe(200)
    expect(body.revocation_age_ms).toBeGreaterThanOrEqual(TOO_LONG_MS)
  })
})

describe('a server that accepts tokens without news', () => {
  const feed = breakableFeed()
  const app = useTestApp({ startAt: PRESENT, environment: { REVOCATION_STALE: 'accept' }, ...feed })

  test('does so, but not for a session that it knows has ended', async () => {
    const [user, ended] = [await app.newUser(), await app.newUser()]
    await ended.post('/api/auth/logout')
    feed.goSilent()
    expect((await user.get('/api/auth/profile')).status).toBe(200)
    expect((await ended.get('/api/auth/profile')).body.code).toBe('invalid_token')
  })

  test('does not claim that a log-out counts before it does, and makes up for it', async () => {
    const user = await app.newUser()
    feed.goSilent()
    const { status, body } = await user.post('/api/auth/logout')
    expect([status, body.code]).toEqual([503, 'database_unavailable'])
    expect((await app.refresh(user.refreshToken)).status).toBe(401)
    feed.repair()
    await expect.poll(async () => (await user.get('/api/auth/profile')).status).toBe(401)
  })
})

describe('a server that cannot read the feed at all', () => {
  const feed = breakableFeed()
  const app = useTestApp({ startAt: PRESENT, ...feed })

  test('does not start', async () => {
    feed.break()
    await expect(app.server.ready()).rejects.toThrow()
  })
})
