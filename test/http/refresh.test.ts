import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { openChild } from '../../src/core/refresh-token.js'
import { buildTestApp, PRESENT, readClaims, type User, useTestApp } from '../support/test-app.js'

const HASH = (token: string): string => createHash('sha256').update(token).digest('hex')

/** Seconds; the grace is its default of 10. */
const TIMES = { ACCESS_TOKEN_TTL: '300', SESSION_IDLE_TTL: '600', SESSION_TTL: '3600' }
const app = useTestApp({ startAt: PRESENT, environment: TIMES })

async function rotate(refreshToken: string, on = app): Promise<{ access: string; refresh: string }> {
  const { status, text, body } = await on.refresh(refreshToken)
  if (status !== 200) throw new Error(text)
  return { access: body.access_token, refresh: body.refresh_token }
}

async function expectRefused(refreshToken: string, on = app): Promise<void> {
  const { status, body } = await on.refresh(refreshToken)
  expect([status, body.code, body.detail]).toEqual([401, 'invalid_refresh_token', 'Invalid refresh token'])
}

/** Neither these refresh tokens nor these access tokens are good for anything any more. */
async function expectDead(refreshTokens: string[], accessTokens: string[], on = app): Promise<void> {
  for (const token of refreshTokens) await expectRefused(token, on)
  for (const token of accessTokens) {
    const { status, body } = await on.get('/api/auth/profile', token)
    expect([status, body.detail]).toEqual([401, 'Invalid token'])
  }
}

const readSession = async ({ sessionId }: User) =>
  (
    await app.database.query<{ current: string; sealed: Buffer; tokens: number }>(
      `select encode(refresh_hash, 'hex') as current, sealed_refresh as sealed,
              (select count(*)::int from keyward_refresh_tokens where session_id = s.id) as tokens
         from keyward_sessions as s where id = $1`,
      [sessionId],
    )
  )[0]

test('a refresh token buys a new pair for the same session', async () => {
  const user = await app.newUser()
  app.passSeconds(100)
  const { status, body } = await app.refresh(user.refreshToken)
  expect(status).toBe(200)
  expect(body).toEqual({
    access_token: expect.any(String),
    token_type: 'bearer',
    expires_in: 300,
    refresh_token: expect.stringMatching(/^kwr_[A-Za-z0-9_-]{43}$/),
    user: expect.objectContaining({ id: user.id, email: user.email }),
  })
  expect(body.refresh_token).not.toBe(user.refreshToken)
  const [before, after] = [readClaims(user.token), readClaims(body.access_token)]
  expect(after).toMatchObject({ sub: user.id, sid: user.sessionId, iat: before.iat + 100 })
  expect(after.exp).toBe(after.iat + 300)
  expect(after.jti).not.toBe(before.jti)
  expect((await app.get('/api/auth/profile', body.access_token)).status).toBe(200)
  expect(app.events('session_refreshed').at(-1)).toMatchObject({
    user_id: user.id,
    session_id: user.sessionId,
  })
})

test('a new name shows in the next reply', async () => {
  const user = await app.newUser()
  await user.put('/api/auth/profile', { name: 'New Name' })
  expect((await app.refresh(user.refreshToken)).body.user.name).toBe('New Name')
})

test('a client whose reply was lost gets the same refresh token again for a short while', async () => {
  const user = await app.newUser()
  const first = await rotate(user.refreshToken)
  app.passSeconds(9)
  const second = await rotate(user.refreshToken)
  expect(second.refresh).toBe(first.refresh)
  expect(second.access).not.toBe(first.access)
  expect((await app.get('/api/auth/profile', second.access)).status).toBe(200)
  expect((await readSession(user))?.tokens).toBe(2)
  // Repeating does not prolong the while.
  app.passSeconds(1)
  await expectDead([user.refreshToken, first.refresh], [user.token, first.access, second.access])
})

test('a spent token that comes again later ends the session and everything that descends from it', async () => {
  const user = await app.newUser()
  const child = await rotate(user.refreshToken)
  app.passSeconds(20)
  const grandchild = await rotate(child.refresh)
  const other = await app.login(user)
  await expectRefused(user.refreshToken)
  await expectDead(
    [user.refreshToken, child.refresh, grandchild.refresh],
    [user.token, child.access, grandchild.access],
  )
  expect(app.events('refresh_token_reused').at(-1)).toMatchObject({
    user_id: user.id,
    session_id: user.sessionId,
  })
  expect((await other.get('/api/auth/profile')).status).toBe(200)
})

test('a grandparent gets nothing even at once, and ends the session', async () => {
  const user = await app.newUser()
  const child = await rotate(user.refreshToken)
  const grandchild = await rotate(child.refresh)
  await expectDead([user.refreshToken, child.refresh, grandchild.refresh], [user.token, grandchild.access])
})

test('twenty uses of one token at once all get one and the same successor', async () => {
  const user = await app.newUser()
  const replies = await Promise.all(Array.from({ length: 20 }, () => app.refresh(user.refreshToken)))
  expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
  const children = new Set<string>(replies.map(({ body }) => body.refresh_token))
  expect(children.size).toBe(1)
  const [child = ''] = children
  expect(await readSession(user)).toMatchObject({ current: HASH(child), tokens: 2 })
  expect((await rotate(child)).refresh).not.toBe(child)
})

test.each([
  ['unknown', `kwr_${'A'.repeat(43)}`],
  ['cut', `kwr_${'A'.repeat(42)}`],
  ['empty', ''],
  ['no text', '\u0000'],
  ['long', 'kwr_'.repeat(2_000)],
])('a refresh token that is %s is refused', async (_, token) => {
  await expectRefused(token)
})

test('the hash of a refresh token is none', async () => {
  const user = await app.newUser()
  await expectRefused(HASH(user.refreshToken))
  await expectRefused(`kwr_${createHash('sha256').update(user.refreshToken).digest('base64url')}`)
  expect((await app.refresh(user.refreshToken)).status).toBe(200)
})

test.each([
  [{}, 'is required'],
  [{ refresh_token: null }, 'must be string'],
  [{ refresh_token: 7 }, 'must be string'],
  [{ refresh_token: ['kwr_'] }, 'must be string'],
])('the body %j is invalid', async (sent, message) => {
  const { status, body } = await app.post('/api/auth/refresh', sent)
  expect([status, body.code, body.errors]).toEqual([
    400,
    'validation_failed',
    [{ field: 'refresh_token', message }],
  ])
})

test('a session that was not refreshed for too long cannot be any more', async () => {
  const [used, unused] = [await app.newUser(), await app.newUser()]
  app.passSeconds(599)
  const { refresh } = await rotate(used.refreshToken)
  app.passSeconds(1)
  await expectRefused(unused.refreshToken)
  app.passSeconds(598)
  expect((await app.refresh(refresh)).status).toBe(200)
})

test('however often it is refreshed, a session ends when it was going to, and its last tokens with it', async () => {
  const user = await app.newUser()
  let { refreshToken } = user
  for (let minutes = 0; minutes < 55; minutes += 5) {
    app.passSeconds(300)
    refreshToken = (await rotate(refreshToken)).refresh
  }
  app.passSeconds(299)
  const last = (await app.refresh(refreshToken)).body
  expect(last.expires_in).toBe(1)
  expect(readClaims(last.access_token).exp).toBe(readClaims(user.token).iat + 3_600)
  expect((await app.get('/api/auth/profile', last.access_token)).status).toBe(200)
  app.passSeconds(1)
  expect((await app.get('/api/auth/profile', last.access_token)).body.detail).toBe('Token has expired')
  await expectRefused(last.refresh_token)
})

test.each(['disable', 'delete', 'logout', 'set-password'] as const)(
  'after an operator’s %s, a refresh token is worth nothing',
  async (action) => {
    const user = await app.newUser()
    const password = action === 'set-password' ? 'An0ther-horse!' : null
    await app.runUserCommand({ action, who: user.id, password })
    await expectDead([user.refreshToken], [user.token])
  },
)

test('a disabled account that is enabled again has to log in', async () => {
  const user = await app.newUser()
  await app.runUserCommand({ action: 'disable', who: user.id, password: null })
  await app.runUserCommand({ action: 'enable', who: user.id, password: null })
  await expectDead([user.refreshToken], [user.token])
  expect((await (await app.login(user)).get('/api/auth/profile')).status).toBe(200)
})

test('another server on the same database, started later, notices a spent token', async () => {
  const user = await app.newUser()
  const child = await rotate(user.refreshToken)
  const later = (readClaims(child.access).iat + 20) * 1000
  const restarted = await buildTestApp(app.database, { startAt: later, environment: TIMES })
  try {
    await expectDead([user.refreshToken, child.refresh], [], restarted)
    await expect.poll(async () => (await app.get('/api/auth/profile', child.access)).status).toBe(401)
  } finally {
    await restarted.server.close()
  }
})

test('what the database keeps sealed opens with the spent parent only, not with the current token', async () => {
  const user = await app.newUser()
  const child = await rotate(user.refreshToken)
  const grandchild = await rotate(child.refresh)
  const session = await readSession(user)
  const sealed = session?.sealed as Buffer
  expect(session?.current).toBe(HASH(grandchild.refresh))
  expect(openChild(child.refresh, sealed)).toBe(grandchild.refresh)
  for (const wrong of [grandchild.refresh, user.refreshToken, session?.current ?? '', user.token]) {
    expect(() => openChild(wrong, sealed)).toThrow()
  }
})

test('does not show in the list of sessions at that moment, where a thief could wait for it', async () => {
  const user = await app.newUser()
  const seen = async (): Promise<string> =>
    (await user.get('/api/auth/sessions')).body.sessions[0].last_seen_at
  const before = await seen()
  app.passSeconds(30)
  expect((await app.refresh(user.refreshToken)).status).toBe(200)
  expect(await seen()).toBe(before)
})

test('repeating a spent token leaves an event of its own', async () => {
  const user = await app.newUser()
  await app.refresh(user.refreshToken)
  await app.refresh(user.refreshToken)
  expect(app.events('refresh_repeated').at(-1)).toMatchObject({
    user_id: user.id,
    session_id: user.sessionId,
  })
})

describe('without a grace', () => {
  const strict = useTestApp({ startAt: PRESENT, environment: { REFRESH_GRACE: '0' } })

  test('of twenty uses of one token at once exactly one succeeds, and the session ends', async () => {
    const user = await strict.newUser()
    const replies = await Promise.all(Array.from({ length: 20 }, () => strict.refresh(user.refreshToken)))
    const successes = replies.filter(({ status }) => status === 200)
    expect(successes).toHaveLength(1)
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200, 401]))
    const { access_token: access, refresh_token: child } = successes[0]?.body ?? {}
    await expectDead([user.refreshToken, child], [user.token, access], strict)
  })

  test('a chain of refreshes works as ever', async () => {
    const user = await strict.newUser()
    let { refreshToken } = user
    for (let i = 0; i < 5; i++) refreshToken = (await rotate(refreshToken, strict)).refresh
    expect((await user.get('/api/auth/profile')).status).toBe(200)
  })
})
