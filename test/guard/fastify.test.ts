import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { guardPlugin } from '../../src/guard/fastify.js'
import { createGuard } from '../../src/guard/guard.js'
import { CLAIMS, NOW, NOW_SECONDS, SECRET, tokenWith } from '../core/sample-token.js'

const TOKEN = tokenWith({})
const OTHER_ID = '0e4c1b7a-55aa-4d1e-8f33-6a7b8c9d0e11'
let app: FastifyInstance
let calls: number

beforeEach(async () => {
  calls = 0
  app = Fastify()
  await app.register(guardPlugin, { guard: createGuard({ secret: SECRET, clock: () => NOW }) })
  app.get('/private', { onRequest: app.authenticate }, (request) => {
    calls++
    return request.user
  })
  app.get('/public', () => 'hello')
  app.get('/forgotten', (request) => ({ user: request.user }))
  app.get('/forgotten-too', (request) => ({ user: request.optionalUser }))
  app.get('/presumptuous', { onRequest: app.authenticateOptionally }, (request) => request.user)
  await app.register(async (scope) => {
    scope.addHook('onRequest', scope.authenticate)
    scope.get('/scope/a', (request) => request.user.id)
    scope.get('/scope/b', () => 'protected')
  })
})
afterEach(() => app.close())

const get = (url: string, authorization?: string) =>
  app.inject({ url, ...(authorization !== undefined && { headers: { authorization } }) })

test('a protected route knows its user', async () => {
  const { statusCode, body } = await get('/private', `Bearer ${TOKEN}`)
  expect(statusCode).toBe(200)
  expect(JSON.parse(body)).toEqual({
    id: CLAIMS.sub,
    sessionId: CLAIMS.sid,
    tokenId: CLAIMS.jti,
    email: CLAIMS.email,
    expiresAt: CLAIMS.exp,
  })
})

test('each request has its own user', async () => {
  const replies = await Promise.all([
    get('/scope/a', `Bearer ${TOKEN}`),
    get('/scope/a', `Bearer ${tokenWith({ sub: OTHER_ID })}`),
    get('/scope/a', `Bearer ${TOKEN}`),
  ])
  expect(replies.map(({ body }) => body)).toEqual([CLAIMS.sub, OTHER_ID, CLAIMS.sub])
})

test.each([
  ['nothing', undefined, 'Not authenticated', 'not_authenticated', 'Bearer realm="keyward"'],
  [
    'another scheme',
    'Basic YWRhOnBhc3M=',
    'Not authenticated',
    'not_authenticated',
    'Bearer realm="keyward"',
  ],
  [
    'a wrong token',
    `Bearer ${TOKEN}A`,
    'Invalid token',
    'invalid_token',
    'Bearer realm="keyward", error="invalid_token", error_description="Invalid token"',
  ],
  [
    'an expired token',
    `Bearer ${tokenWith({ exp: NOW_SECONDS })}`,
    'Token has expired',
    'token_expired',
    'Bearer realm="keyward", error="invalid_token", error_description="Token has expired"',
  ],
])(
  'a request with %s is refused with a problem and a challenge',
  async (_, authorization, detail, code, challenge) => {
    const { statusCode, headers, body } = await get('/private', authorization)
    expect(statusCode).toBe(401)
    expect(headers['www-authenticate']).toBe(challenge)
    expect(headers['content-type']).toBe('application/problem+json; charset=utf-8')
    expect(JSON.parse(body)).toEqual({
      type: 'about:blank',
      title: 'Unauthorized',
      status: 401,
      detail,
      code,
      request_id: expect.any(String),
    })
    expect(calls).toBe(0)
  },
)

test('a guard that answers later is waited for', async () => {
  const slow = Fastify()
  const answers = createGuard({ secret: SECRET, clock: () => NOW })
  await slow.register(guardPlugin, {
    guard: { check: async (authorization) => answers.check(authorization) },
  })
  slow.get('/private', { onRequest: slow.authenticate }, (request) => request.user.id)
  const ask = (token: string) =>
    slow.inject({ url: '/private', headers: { authorization: `Bearer ${token}` } })
  expect((await ask(TOKEN)).body).toBe(CLAIMS.sub)
  expect((await ask('wrong')).statusCode).toBe(401)
  await slow.close()
})

test('a token that cannot be judged now is answered with 503 and a time to try again', async () => {
  const lost = Fastify()
  await lost.register(guardPlugin, { guard: { check: () => ({ ok: false, code: 'keys_unavailable' }) } })
  lost.get('/private', { onRequest: lost.authenticate }, () => 'never')
  const { statusCode, headers, body } = await lost.inject('/private')
  expect([statusCode, headers['retry-after'], JSON.parse(body).code]).toEqual([503, '1', 'keys_unavailable'])
  expect(headers['www-authenticate']).toBeUndefined()
  await lost.close()
})

test('a refusal repeats nothing of what was sent', async () => {
  const { body, headers } = await get('/private', 'Bearer s3cret-and-wrong')
  expect(body + JSON.stringify(headers)).not.toContain('s3cret')
})

test('a public route needs no token and looks at none', async () => {
  expect((await get('/public')).body).toBe('hello')
  expect((await get('/public', 'Bearer wrong')).body).toBe('hello')
})

test.each([
  ['no token', undefined],
  ['a valid token', `Bearer ${TOKEN}`],
  ['a wrong token', 'Bearer wrong'],
])('a route that reads the user but was not protected fails, with %s', async (_, authorization) => {
  const { statusCode, body } = await get('/forgotten', authorization)
  expect(statusCode).toBe(500)
  expect(body).not.toContain(CLAIMS.sub)
})

test('reading an optional user fails on a route without a guard, and a certain one where there may be none', async () => {
  expect((await get('/forgotten-too', `Bearer ${TOKEN}`)).statusCode).toBe(500)
  expect((await get('/presumptuous')).statusCode).toBe(500)
  expect((await get('/presumptuous', `Bearer ${TOKEN}`)).statusCode).toBe(200)
})

describe('a scope under the hook', () => {
  test.each(['/scope/a', '/scope/b'])('lets nobody reach %s without a token', async (url) => {
    expect((await get(url)).statusCode).toBe(401)
    expect((await get(url, `Bearer ${TOKEN}`)).statusCode).toBe(200)
  })

  test('leaves the routes outside alone', async () => {
    expect((await get('/public')).statusCode).toBe(200)
  })
})

describe('over a connection', () => {
  const send = async (headers: readonly string[]): Promise<{ status: number | undefined; body: string }> => {
    if (!app.server.listening) await app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = app.server.address() as AddressInfo
    const request = httpRequest({
      host: '127.0.0.1',
      port,
      path: '/private',
      headers: ['Host', 'x', ...headers],
    })
    request.end()
    const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage]
    return { status: response.statusCode, body: await text(response) }
  }

  test('one Authorization header is enough, in any letter case', async () => {
    expect((await send(['Authorization', `Bearer ${TOKEN}`])).status).toBe(200)
    expect((await send(['AUTHORIZATION', `Bearer ${TOKEN}`])).status).toBe(200)
  })

  test.each([
    ['the same twice', 'Authorization', `Bearer ${TOKEN}`],
    ['a wrong one behind', 'authorization', 'Bearer wrong'],
    ['another scheme behind', 'AuthorizatioN', 'Basic YWRhOnBhc3M='],
    ['an empty one behind', 'Authorization', ''],
  ])('two Authorization headers are refused: %s', async (_, name, value) => {
    for (const headers of [
      ['Authorization', `Bearer ${TOKEN}`, name, value],
      [name, value, 'Authorization', `Bearer ${TOKEN}`],
    ]) {
      const { status, body } = await send(headers)
      expect(status).toBe(401)
      expect(JSON.parse(body)).toMatchObject({ code: 'not_authenticated' })
    }
    expect(calls).toBe(0)
  })
})
