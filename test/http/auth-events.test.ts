import { expect, test } from 'vitest'
import { PASSWORD, useTestApp } from '../support/test-app.js'
import { disable, writeHash } from './users-table.js'

const app = useTestApp()

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** What the server logs during this work: whole lines, parsed. */
async function logDuring(work: () => Promise<unknown>): Promise<Record<string, unknown>[]> {
  const logged = app.logLines.length
  await work()
  return app.logLines.slice(logged).map((line) => {
    expect(line.endsWith('\n')).toBe(true)
    expect(line.trimEnd()).not.toContain('\n')
    return JSON.parse(line)
  })
}

/** An event to the last field, so that nothing else can be in it. */
const event = (name: string, fields: Record<string, unknown>) => ({
  level: 'info',
  time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  event: name,
  request_id: expect.stringMatching(UUID),
  address: '127.0.0.1',
  ...fields,
})

const sessionOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).sid

test('a registration is one event that names the account and the request', async () => {
  const body = { email: 'events@example.com', name: 'Somebody', password: PASSWORD }
  let reply = await app.get('/health/live')
  const lines = await logDuring(async () => {
    reply = await app.post('/api/auth/register', body)
  })
  expect(lines).toStrictEqual([event('register', { user_id: reply.body.user.id })])
  expect(lines[0]!.request_id).toBe(reply.headers['x-request-id'])
})

test('a registration of a taken address is one event', async () => {
  const { email } = await app.newUser()
  const body = { email, name: 'Somebody', password: PASSWORD }
  const lines = await logDuring(() => app.post('/api/auth/register', body))
  expect(lines).toStrictEqual([event('register_refused', { reason: 'email_taken' })])
})

test('a login is one event that names the session', async () => {
  const { id, email, password } = await app.newUser()
  let token = ''
  const lines = await logDuring(async () => {
    token = (await app.post('/api/auth/login', { email, password })).body.access_token
  })
  expect(lines).toStrictEqual([event('login', { user_id: id, session_id: sessionOf(token) })])
})

test('a refused login is one event with the reason that the client does not learn', async () => {
  const { id, email, password } = await app.newUser()
  const login = (address: string, attempt: string) =>
    logDuring(() => app.post('/api/auth/login', { email: address, password: attempt }))
  expect(await login('nobody@example.com', password)).toStrictEqual([
    event('login_failed', { reason: 'unknown_email' }),
  ])
  const wrongPassword = [event('login_failed', { user_id: id, reason: 'wrong_password' })]
  expect(await login(email, 'wr0ng-Password!')).toStrictEqual(wrongPassword)
  await disable(app.database, id)
  expect(await login(email, 'wr0ng-Password!')).toStrictEqual(wrongPassword)
  expect(await login(email, password)).toStrictEqual([
    event('login_failed', { user_id: id, reason: 'account_disabled' }),
  ])
})

test('a renewed hash is one event before that of the login', async () => {
  const { id, email } = await app.newUser()
  // "password" as passlib hashes it.
  const hash = '$bcrypt-sha256$2a,12$LrmaIX5x4TRtAwEfwJZa1.$2ehnw6LvuIUTM0iz4iz9hTxv21B6KFO'
  await writeHash(app.database, id, hash)
  const lines = await logDuring(() => app.post('/api/auth/login', { email, password: 'password' }))
  expect(lines).toStrictEqual([
    event('password_rehashed', { user_id: id }),
    event('login', { user_id: id, session_id: expect.stringMatching(UUID) }),
  ])
})

test('a logout is one event that names the session', async () => {
  const user = await app.newUser()
  const lines = await logDuring(() => user.post('/api/auth/logout'))
  expect(lines).toStrictEqual([event('logout', { user_id: user.id, session_id: sessionOf(user.token) })])
})

test('a change of the profile is one event, and none when nothing changes', async () => {
  const user = await app.newUser()
  const lines = await logDuring(() => user.put('/api/auth/profile', { name: 'Renamed' }))
  expect(lines).toStrictEqual([
    event('profile_changed', { user_id: user.id, session_id: sessionOf(user.token) }),
  ])
  expect(await logDuring(() => user.put('/api/auth/profile', {}))).toStrictEqual([])
  expect(await logDuring(() => user.put('/api/auth/profile', { name: '' }))).toStrictEqual([
    event('request_refused', { reason: 'validation_failed', operation: 'PUT /api/auth/profile', count: 1 }),
  ])
  expect(await logDuring(() => user.get('/api/auth/profile'))).toStrictEqual([])
})

test('the address of an event is that of the connection, whatever a client claims', async () => {
  const headers = {
    'x-forwarded-for': '203.0.113.9',
    forwarded: 'for=203.0.113.9',
    'x-real-ip': '203.0.113.9',
  }
  const payload = { email: 'nobody@example.com', password: 'wr0ng-Password!' }
  // The one warning that such a header means nothing here.
  await app.send({ method: 'GET', url: '/health/live', headers })
  const lines = await logDuring(() => app.send({ method: 'POST', url: '/api/auth/login', headers, payload }))
  expect(lines).toStrictEqual([event('login_failed', { reason: 'unknown_email' })])
})

test('asking to end a session of somebody else is one event, and does not tell whose it is', async () => {
  const [user, stranger] = [await app.newUser(), await app.newUser()]
  const lines = await logDuring(() => user.delete(`/api/auth/sessions/${stranger.sessionId}`))
  expect(lines).toStrictEqual([
    event('session_end_refused', { user_id: user.id, session_id: sessionOf(user.token) }),
  ])
})

test('a request without a token, or with one that has expired, is no event', async () => {
  const user = await app.newUser()
  app.passSeconds(604_800)
  const lines = await logDuring(async () => {
    expect((await app.get('/api/auth/profile')).status).toBe(401)
    expect((await user.get('/api/auth/profile')).body.code).toBe('token_expired')
  })
  expect(lines).toEqual([])
})

test('a refused access token is an event, of many in a second there is one line, and none holds a token', async () => {
  const user = await app.newUser()
  const forged = `${user.token.slice(0, -43)}${'A'.repeat(43)}`
  const lines = await logDuring(async () => {
    for (let i = 0; i < 100; i++) expect((await app.get('/api/auth/profile', forged)).status).toBe(401)
  })
  expect(lines[0]).toStrictEqual(event('token_refused', { count: 1 }))
  expect(lines.length).toBeLessThan(100)
  expect(new Set(lines.map((line) => line.event))).toEqual(new Set(['token_refused']))
  expect(JSON.stringify(lines)).not.toContain(forged.slice(40, 60))
})
