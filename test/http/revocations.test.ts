import { describe, expect, test } from 'vitest'
import { buildTestApp, PRESENT, readClaims, type Reply, useTestApp } from '../support/test-app.js'

const FEED_TOKEN = 'q2Zt7XwB9mKc4VnR8sLdYh3PfGj6UaEo'
const app = useTestApp({ startAt: PRESENT, environment: { REVOCATION_FEED_TOKEN: FEED_TOKEN } })

const read = (query = ''): Promise<Reply> => app.get(`/api/auth/revocations${query}`, FEED_TOKEN)

async function endSession(): Promise<string> {
  const user = await app.newUser()
  await user.post('/api/auth/logout')
  return user.sessionId
}

test('a service reads the ids of ended sessions and when their tokens expire, and nothing else', async () => {
  const { last_seq: before } = (await read()).body
  const user = await app.newUser()
  await user.post('/api/auth/logout')
  const { status, headers, body } = await read()
  expect(status).toBe(200)
  expect(headers['cache-control']).toBe('no-store')
  expect(Object.keys(body).sort()).toEqual(['age_ms', 'last_seq', 'more', 'now', 'revocations'])
  expect(body).toMatchObject({ last_seq: before + 1, more: false })
  expect(body.age_ms).toBeGreaterThanOrEqual(0)
  expect(body.now).toBeGreaterThan(PRESENT / 1000 - 3_600)
  expect(body.revocations.at(-1)).toEqual({
    seq: before + 1,
    session_id: user.sessionId,
    expires_at: readClaims(user.token).exp,
  })
})

test('it asks for what follows the last number it has seen', async () => {
  const { last_seq: before } = (await read()).body
  const ids = [await endSession(), await endSession(), await endSession()]
  const { body } = await read(`?after=${before}`)
  expect(body.revocations.map((row: { session_id: string }) => row.session_id)).toEqual(ids)
  expect(body.revocations.map(({ seq }: { seq: number }) => seq)).toEqual([
    before + 1,
    before + 2,
    before + 3,
  ])
  expect((await read(`?after=${before + 2}`)).body.revocations).toHaveLength(1)
  expect((await read(`?after=${before + 3}`)).body.revocations).toEqual([])
  expect((await read('?after=999999999999999')).body.revocations).toEqual([])
})

test('rotating a refresh token is no news', async () => {
  const { last_seq: before } = (await read()).body
  const user = await app.newUser()
  await app.refresh(user.refreshToken)
  expect((await read(`?after=${before}`)).body.revocations).toEqual([])
})

// Shorter than the wait: it has to be the end of the session that answers.
test('a service that waits is answered when a session ends', { timeout: 15_000 }, async () => {
  const { last_seq: before } = (await read()).body
  const user = await app.newUser()
  const waiting = read(`?after=${before}&wait=20`)
  await user.post('/api/auth/logout')
  expect((await waiting).body.revocations).toEqual([
    { seq: before + 1, session_id: user.sessionId, expires_at: readClaims(user.token).exp },
  ])
})

test('a service that waits in vain is answered with nothing', async () => {
  const { last_seq: before } = (await read()).body
  const { status, body } = await read(`?after=${before}&wait=1`)
  expect([status, body.revocations]).toEqual([200, []])
})

test.each([
  undefined,
  'Bearer',
  'Bearer ',
  `Bearer ${FEED_TOKEN.slice(1)}`,
  `Bearer ${FEED_TOKEN}x`,
  `Bearer ${FEED_TOKEN.toLowerCase()}`,
  `Basic ${FEED_TOKEN}`,
  FEED_TOKEN,
  `Bearer ${FEED_TOKEN} ${FEED_TOKEN}`,
])('with the authorization %j nobody reads anything', async (authorization) => {
  await endSession()
  const reply = await app.send({
    method: 'GET',
    url: '/api/auth/revocations?after=0',
    headers: authorization === undefined ? {} : { authorization },
  })
  expect([reply.status, reply.body.code]).toEqual([401, 'not_authenticated'])
  expect(reply.headers['www-authenticate']).toBe('Bearer realm="keyward"')
  expect(reply.text).not.toContain('seq')
})

test('a service token is replaced without a gap: while both are set, each reads, and then only the new one', async () => {
  const next = 'Vb5nM8xKq2Wz7TrYc4LdJh9PgSf3UaEo'
  const codesWith = async (tokens: string): Promise<number[]> => {
    const node = await buildTestApp(app.database, { environment: { REVOCATION_FEED_TOKEN: tokens } })
    await node.server.ready()
    const replies = [FEED_TOKEN, next, `${FEED_TOKEN} ${next}`, `${FEED_TOKEN}${next}`].map((token) =>
      node.send({
        method: 'GET',
        url: '/api/auth/revocations',
        headers: { authorization: `Bearer ${token}` },
      }),
    )
    const codes = (await Promise.all(replies)).map(({ status }) => status)
    await node.server.close()
    return codes
  }
  expect(await codesWith(`${FEED_TOKEN}\n${next}`)).toEqual([200, 200, 401, 401])
  expect(await codesWith(next)).toEqual([401, 200, 401, 401])
})

test('the service token is no access token, and an access token no service token', async () => {
  const user = await app.newUser()
  expect((await user.get('/api/auth/revocations')).status).toBe(401)
  expect((await app.get('/api/auth/profile', FEED_TOKEN)).body.code).toBe('invalid_token')
})

test.each([
  ['after=-1', 'after'],
  ['after=', 'after'],
  ['after=1.5', 'after'],
  ['after=1e3', 'after'],
  ['after=x', 'after'],
  ['after=%20', 'after'],
  ['after=1234567890123456', 'after'],
  ['after=1&after=2', 'after'],
  ['wait=-1', 'wait'],
  ['wait=100', 'wait'],
  ['wait=soon', 'wait'],
])('the query %s is invalid', async (query, field) => {
  const { status, body } = await read(`?${query}`)
  expect([status, body.code]).toEqual([400, 'validation_failed'])
  expect(body.errors.map((error: { field: string }) => error.field)).toEqual([field])
})

test('whoever waits when the server shuts down is answered', { timeout: 15_000 }, async () => {
  const other = await buildTestApp(app.database, { environment: { REVOCATION_FEED_TOKEN: FEED_TOKEN } })
  await other.server.ready()
  const waiting = other.get('/api/auth/revocations?after=999999&wait=20', FEED_TOKEN)
  const closed = other.server.close()
  expect([200, 503]).toContain((await waiting).status)
  await closed
})

describe('without a service token', () => {
  const closed = useTestApp({ startAt: PRESENT })

  test.each(['', FEED_TOKEN, 'null', 'undefined'])(
    'nobody reads the feed, also not with %j',
    async (token) => {
      const user = await closed.newUser()
      for (const each of [token, user.token, user.refreshToken]) {
        const { status, body } = await closed.get('/api/auth/revocations', each)
        expect([status, body.code]).toEqual([401, 'not_authenticated'])
      }
    },
  )
})
