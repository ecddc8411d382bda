import type { InjectOptions } from 'fastify'
import { describe, expect, test } from 'vitest'
import { type Reply, useTestApp } from '../support/test-app.js'
import { expectProblem } from './expect-problem.js'

const app = useTestApp()
const behindTls = useTestApp({ environment: { HSTS: 'on' } })

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND']
const ROUTES: Record<string, string> = {
  '/api/auth/register': 'POST',
  '/api/auth/login': 'POST',
  '/api/auth/logout': 'POST',
  '/api/auth/profile': 'GET, HEAD, PUT',
  '/health/live': 'GET, HEAD',
  '/health/ready': 'GET, HEAD',
}

const send = (method: string, url: string, options: InjectOptions = {}): Promise<Reply> =>
  app.send({ ...options, method: method as 'GET', url })

describe.for(Object.entries(ROUTES))('%s', ([url, allowed]) => {
  test.for(METHODS.filter((method) => !allowed.split(', ').includes(method)))(
    'answers %s with 405 and the methods it has',
    async (method) => {
      const reply = await send(method, url)
      expect(reply.status).toBe(405)
      expect(reply.headers.allow).toBe(allowed)
      if (method !== 'HEAD') expectProblem(reply, 'method_not_allowed')
    },
  )

  test.for(allowed.split(', '))('has %s', async (method) => {
    expect([404, 405]).not.toContain((await send(method, url)).status)
  })
})

test('a method that an address does not have is refused whatever the body holds', async () => {
  const headers = { 'content-type': 'text/plain' }
  expectProblem(await send('PATCH', '/api/auth/profile', { headers, payload: 'x' }), 'method_not_allowed')
  const large = { headers, payload: 'x'.repeat(20_000) }
  expectProblem(await send('DELETE', '/api/auth/login', large), 'method_not_allowed')
})

test.for([
  '/',
  '/nope',
  '/api',
  '/api/auth',
  '/api/auth/users',
  '/api/auth/Login',
  '/api/auth/login/extra',
  '/api/auth/profile/00000000-0000-4000-8000-000000000000',
  '//api/auth/login',
  '/api/auth/../../etc/passwd',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/docs/static/%2e%2e/%2e%2e/package.json',
  '/.env',
  '/constructor',
  '/__proto__',
])('there is nothing at %s, for any method', async (url) => {
  for (const method of METHODS.filter((each) => each !== 'HEAD')) {
    expectProblem(await send(method, url), 'route_not_found')
  }
  expect((await send('HEAD', url)).status).toBe(404)
})

test('there is nothing at an unknown address whatever the body holds', async () => {
  for (const [type, payload] of [
    ['text/plain', 'x'],
    ['application/json', '{'],
    [';;;', '{}'],
    ['application/json', 'x'.repeat(20_000)],
  ] as const) {
    expectProblem(
      await send('POST', '/nope', { headers: { 'content-type': type }, payload }),
      'route_not_found',
    )
  }
})

test.for(['/%zz', '/api/auth/%', '/api/auth/login%c0%af', '/%ff'])(
  'an address that cannot be decoded is refused: %s',
  async (url) => {
    expectProblem(await send('GET', url), 'malformed_request')
    expectProblem(await send('POST', url, { payload: {} }), 'malformed_request')
  },
)

test('what is encoded twice is decoded once', async () => {
  expectProblem(await send('POST', '/api/auth/log%69n', { payload: {} }), 'validation_failed', [
    { field: 'email', message: 'is required' },
    { field: 'password', message: 'is required' },
  ])
  expectProblem(await send('POST', '/api/auth/log%2569n', { payload: {} }), 'route_not_found')
})

test('no address redirects, whatever protocol a header claims', async () => {
  const headers = { 'x-forwarded-proto': 'http', forwarded: 'proto=http' }
  for (const url of [...Object.keys(ROUTES), '/', '/docs', '/openapi.json', '/.well-known/jwks.json']) {
    for (const method of ['GET', 'POST']) {
      const { status, headers: answered } = await send(method, url, { headers })
      expect([url, status < 300 || status >= 400, answered.location]).toEqual([url, true, undefined])
    }
  }
})

test('a slash at the end of an address makes no difference', async () => {
  const user = await app.newUser()
  expect((await user.get('/api/auth/profile/')).body.id).toBe(user.id)
})

test('the health addresses answer', async () => {
  const live = await app.get('/health/live')
  expect([live.status, live.body]).toStrictEqual([200, { status: 'live' }])
  const ready = await app.get('/health/ready')
  expect([ready.status, ready.body]).toStrictEqual([
    200,
    { status: 'ready', revocation_age_ms: expect.any(Number) },
  ])
})

describe('every answer carries the protective headers', () => {
  const json = { 'content-type': 'application/json' }
  const login = '/api/auth/login'
  const cases: [expected: number, method: string, url: string, options?: InjectOptions][] = [
    [200, 'GET', '/health/live'],
    [200, 'HEAD', '/health/live'],
    [200, 'GET', '/openapi.json'],
    [204, 'OPTIONS', '/api/auth/login'],
    [400, 'POST', login, { headers: json, payload: '{' }],
    [400, 'POST', login, { payload: {} }],
    [400, 'GET', '/%zz'],
    [401, 'POST', login, { payload: { email: 'nobody@example.com', password: 'x' } }],
    [401, 'GET', '/api/auth/profile'],
    [401, 'POST', '/api/auth/logout'],
    [404, 'GET', '/nope'],
    [405, 'DELETE', login],
    [413, 'POST', login, { headers: json, payload: ' '.repeat(16_385) }],
    [415, 'POST', login, { headers: { 'content-type': 'text/plain' }, payload: 'x' }],
  ]

  test.for(cases)('%i for %s %s', async ([expected, method, url, options]) => {
    const { status, headers, body } = await send(method, url, options)
    expect(status).toBe(expected)
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    expect(headers).not.toHaveProperty('server')
    expect(headers).not.toHaveProperty('x-powered-by')
    expect(headers).not.toHaveProperty('set-cookie')
    if (status >= 400) expect(body.request_id).toBe(headers['x-request-id'])
  })

  test('and where TLS is promised, the promise, for a year', async () => {
    const hsts = 'max-age=31536000; includeSubDomains'
    for (const [, method, url, options] of cases) {
      const request = { ...options, method: method as 'GET', url }
      expect((await app.send(request)).headers).not.toHaveProperty('strict-transport-security')
      expect((await behindTls.send(request)).headers['strict-transport-security']).toBe(hsts)
    }
  })

  test('with a request id that no client chooses', async () => {
    const id = 'chosen-by-the-client'
    const headers = { 'x-request-id': id, 'request-id': id }
    const first = await send('GET', '/nope', { headers })
    const second = await send('GET', '/nope', { headers })
    expect(first.body.request_id).not.toBe(id)
    expect(second.body.request_id).not.toBe(first.body.request_id)
  })
})
