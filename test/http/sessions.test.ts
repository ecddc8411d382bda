import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { PASSWORD, PRESENT, readClaims, useTestApp } from '../support/test-app.js'
import { storedText } from '../support/stored-text.js'

const app = useTestApp({ startAt: PRESENT })

const NO_SESSION = '6f1c1d0e-3c1f-4b6e-9a54-0d6a3f1f2b77'

test('registering and every log-in open a session of their own', async () => {
  const user = await app.newUser()
  const others = [await app.login(user), await app.login(user)]
  const all = [user, ...others]
  for (const { token, refreshToken, sessionId } of all) {
    expect(refreshToken).toMatch(/^kwr_[A-Za-z0-9_-]{43}$/)
    expect(sessionId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(readClaims(token).sid).toBe(sessionId)
  }
  expect(new Set(all.map(({ sessionId }) => sessionId)).size).toBe(3)
  expect(new Set(all.map(({ refreshToken }) => refreshToken)).size).toBe(3)
})

test('whoever reads the whole database finds the hash of a refresh token, never the token', async () => {
  const user = await app.newUser()
  const { refresh_token: child } = (await app.refresh(user.refreshToken)).body
  const stored = await storedText(app.database)
  for (const token of [user.refreshToken, child]) {
    const secret = Buffer.from(token.slice(4), 'base64url')
    for (const readable of [token.slice(4), Buffer.from(token).toString('hex'), secret.toString('hex')]) {
      expect(stored).not.toContain(readable)
    }
    expect(stored).toContain(createHash('sha256').update(token).digest('hex'))
  }
  expect(stored).not.toContain(user.token)
  expect(app.logLines.join('\n')).not.toContain(user.refreshToken)
  expect(app.logLines.join('\n')).not.toContain(child)
})

test('people see their own live sessions, newest first', async () => {
  const first = await app.newUser()
  await app.newUser()
  app.passSeconds(60)
  const reply = await app.send({
    method: 'POST',
    url: '/api/auth/login',
    payload: { email: first.email, password: PASSWORD },
    headers: { 'user-agent': `Browser/${'1'.repeat(300)}` },
    remoteAddress: '203.0.113.7',
  })
  const second: string = reply.body.access_token
  const start = (await app.get('/api/auth/sessions', second)).body.sessions[1].created_at
  const later = (seconds: number) => new Date(Date.parse(start) + seconds * 1000).toISOString()

  const { status, body } = await app.get('/api/auth/sessions', second)
  expect(status).toBe(200)
  expect(body).toEqual({
    sessions: [
      {
        id: readClaims(second).sid,
        current: true,
        created_at: later(60),
        last_seen_at: later(60),
        expires_at: later(60 + 2_592_000),
        address: '203.0.113.7',
        user_agent: `Browser/${'1'.repeat(192)}`,
      },
      {
        id: first.sessionId,
        current: false,
        created_at: later(0),
        last_seen_at: later(0),
        expires_at: later(2_592_000),
        address: '127.0.0.1',
        user_agent: 'lightMyRequest',
      },
    ],
  })
})

test('without a User-Agent, a session has an empty one', async () => {
  const user = await app.newUser()
  const reply = await app.send({
    method: 'POST',
    url: '/api/auth/login',
    payload: { email: user.email, password: PASSWORD },
    headers: { 'user-agent': '' },
  })
  const { sessions } = (await app.get('/api/auth/sessions', reply.body.access_token)).body
  expect(sessions.map((session: { user_agent: string }) => session.user_agent)).toContain('')
})

test('a session that has ended or expired is not listed', async () => {
  const old = await app.newUser()
  app.passSeconds(2_592_000 - 100)
  const ended = await app.login(old)
  const live = await app.login(old)
  const ids = async () =>
    (await live.get('/api/auth/sessions')).body.sessions.map(({ id }: { id: string }) => id).sort()
  await ended.post('/api/auth/logout')
  // The first could not be refreshed any more, and its last access token has expired.
  expect(await ids()).toEqual([live.sessionId])
})

test('ending one of the own sessions refuses both of its tokens at once, and no others', async () => {
  const user = await app.newUser()
  const other = await app.login(user)
  const ended = await user.delete(`/api/auth/sessions/${other.sessionId}`)
  expect([ended.status, ended.body]).toEqual([200, { message: 'Session ended' }])

  const refused = await other.get('/api/auth/profile')
  expect([refused.status, refused.body.code, refused.body.detail]).toEqual([
    401,
    'invalid_token',
    'Invalid token',
  ])
  expect((await app.refresh(other.refreshToken)).body.code).toBe('invalid_refresh_token')
  expect((await user.get('/api/auth/profile')).status).toBe(200)
  expect((await app.refresh(user.refreshToken)).status).toBe(200)

  const again = await user.delete(`/api/auth/sessions/${other.sessionId}`)
  expect([again.status, again.body.code]).toEqual([404, 'session_not_found'])
})

test('the id of a session may be spelled in upper case', async () => {
  const user = await app.newUser()
  const other = await app.login(user)
  expect((await user.delete(`/api/auth/sessions/${other.sessionId.toUpperCase()}`)).status).toBe(200)
  expect((await other.get('/api/auth/profile')).status).toBe(401)
})

test('a session of somebody else looks like one that does not exist, and goes on', async () => {
  const [user, stranger] = [await app.newUser(), await app.newUser()]
  const replies = []
  for (const id of [stranger.sessionId, NO_SESSION, 'current', `${NO_SESSION}x`, '%00', "'", '*']) {
    replies.push(await user.delete(`/api/auth/sessions/${id}`))
  }
  for (const { status, body } of replies) {
    expect([status, body.code, body.detail]).toEqual([
      404,
      'session_not_found',
      'This session does not exist',
    ])
  }
  expect((await stranger.get('/api/auth/profile')).status).toBe(200)
  expect((await app.refresh(stranger.refreshToken)).status).toBe(200)
})

test('logging out ends this session only', async () => {
  const user = await app.newUser()
  const other = await app.login(user)
  expect((await other.post('/api/auth/logout')).status).toBe(200)
  expect((await other.get('/api/auth/profile')).body.detail).toBe('Invalid token')
  expect((await app.refresh(other.refreshToken)).status).toBe(401)
  expect((await user.get('/api/auth/profile')).status).toBe(200)
  expect((await app.refresh(user.refreshToken)).status).toBe(200)

  const again = await other.post('/api/auth/logout')
  expect([again.status, again.body.code]).toEqual([401, 'invalid_token'])
})

test('every access token of the session ends with it, not only the one that was sent', async () => {
  const user = await app.newUser()
  const { access_token: younger } = (await app.refresh(user.refreshToken)).body
  expect(younger).not.toBe(user.token)
  await app.post('/api/auth/logout', undefined, younger)
  expect((await user.get('/api/auth/profile')).status).toBe(401)
})

test('an ended session is refused however its token is spelled', async () => {
  const user = await app.newUser()
  await user.post('/api/auth/logout')
  const [head, payload, signature = ''] = user.token.split('.')
  // The last character of the signature carries two unused bits.
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(signature.slice(-1))
  const respelled = `${signature.slice(0, -1)}${alphabet[last ^ 1]}`
  for (const authorization of [
    `Bearer ${user.token}`,
    `bearer   ${user.token}  `,
    `Bearer ${head}.${payload}.${respelled}`,
    `Bearer ${user.token}=`,
  ]) {
    const reply = await app.send({ method: 'GET', url: '/api/auth/profile', headers: { authorization } })
    expect([authorization, reply.status]).toEqual([authorization, 401])
  }
})

test.each([
  ['no body', undefined],
  ['null', null],
  ['an empty object', {}],
  ['keep_current false', { keep_current: false }],
])('logging out everywhere with %s ends this session too', async (_, body) => {
  const user = await app.newUser()
  const [other, stranger] = [await app.login(user), await app.newUser()]
  const reply = await user.post('/api/auth/logout-all', body)
  expect([reply.status, reply.body]).toEqual([200, { message: 'Logged out everywhere' }])
  for (const { token, refreshToken } of [user, other]) {
    expect((await app.get('/api/auth/profile', token)).status).toBe(401)
    expect((await app.refresh(refreshToken)).status).toBe(401)
  }
  expect((await stranger.get('/api/auth/profile')).status).toBe(200)
})

test('logging out everywhere can spare the session that asks for it', async () => {
  const user = await app.newUser()
  const other = await app.login(user)
  expect((await user.post('/api/auth/logout-all', { keep_current: true })).status).toBe(200)
  expect((await user.get('/api/auth/profile')).status).toBe(200)
  expect((await app.refresh(user.refreshToken)).status).toBe(200)
  expect((await other.get('/api/auth/profile')).status).toBe(401)
  expect(app.events('sessions_ended').at(-1)).toMatchObject({ user_id: user.id, count: 1 })
})

test.each([['true'], [1], [null], [[]]])('keep_current must not be %j, and nothing ends', async (wrong) => {
  const user = await app.newUser()
  const { status, body } = await user.post('/api/auth/logout-all', { keep_current: wrong })
  expect([status, body.code, body.errors]).toEqual([
    400,
    'validation_failed',
    [{ field: 'keep_current', message: 'must be boolean' }],
  ])
  expect((await user.get('/api/auth/profile')).status).toBe(200)
})
