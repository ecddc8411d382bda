import { describe, expect, test } from 'vitest'
import { type TestApp, useTestApp } from '../support/test-app.js'

const development = useTestApp()
const configured = useTestApp({
  environment: { CORS_ORIGINS: 'https://app.example.com,https://admin.example.com' },
})
const production = useTestApp({
  environment: { NODE_ENV: 'production', EMBEDDED: 'on', BCRYPT_COST: '10' },
})

const ROUTE = '/api/auth/profile'

const ask = (app: TestApp, origin?: string, url = ROUTE) =>
  app.send({ method: 'GET', url, headers: origin === undefined ? {} : { origin } })

const askFirst = (app: TestApp, origin: string, method: string) =>
  app.send({
    method: 'OPTIONS',
    url: ROUTE,
    headers: {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': 'authorization,content-type',
    },
  })

test.for(['https://app.example.com', 'https://admin.example.com'])(
  'a configured origin may read every answer, refusals too, with credentials: %s',
  async (origin) => {
    for (const url of [ROUTE, '/health/live', '/nope', '/openapi.json']) {
      const { headers } = await ask(configured, origin, url)
      expect(headers['access-control-allow-origin']).toBe(origin)
      expect(headers['access-control-allow-credentials']).toBe('true')
      expect(headers['access-control-expose-headers']).toBe(
        'RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id',
      )
    }
  },
)

test.for([
  'https://evil.example',
  'null',
  '*',
  '',
  'http://app.example.com',
  'https://app.example.com:8443',
  'https://app.example.com.evil.example',
  'https://evil-app.example.com',
  'https://APP.example.com',
  'https://app.example.com/',
  'https://app.example.com, https://evil.example',
  'http://localhost:3000',
  undefined,
])('no other origin may: %s', async (origin) => {
  for (const url of [ROUTE, '/health/live', '/nope']) {
    expect((await ask(configured, origin, url)).headers).not.toHaveProperty('access-control-allow-origin')
  }
  const preflight = await askFirst(configured, origin ?? '', 'PUT')
  expect(preflight.headers).not.toHaveProperty('access-control-allow-origin')
})

test('a browser that asks first learns the methods and headers it may use', async () => {
  for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
    const { status, headers, text } = await askFirst(configured, 'https://app.example.com', method)
    expect([status, text]).toStrictEqual([204, ''])
    expect(headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example.com',
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, DELETE',
      'access-control-allow-headers': 'Authorization, Content-Type',
      'access-control-max-age': '600',
    })
  }
})

test('caches are told that answers differ by origin', async () => {
  for (const origin of ['https://app.example.com', 'https://evil.example', undefined]) {
    expect((await ask(configured, origin)).headers.vary).toBe('Origin')
  }
})

describe('without CORS_ORIGINS', () => {
  test('the usual development server may call, and nothing that only begins like it', async () => {
    const allowed = await ask(development, 'http://localhost:3000')
    expect(allowed.headers['access-control-allow-origin']).toBe('http://localhost:3000')
    for (const origin of [
      'http://localhost:3000.evil',
      'http://localhost:3001',
      'http://localhost',
      'https://localhost:3000',
      'http://127.0.0.1:3000',
    ]) {
      expect((await ask(development, origin)).headers).not.toHaveProperty('access-control-allow-origin')
    }
  })

  test('in production nobody may', async () => {
    for (const origin of ['http://localhost:3000', 'https://app.example.com', 'null']) {
      expect((await ask(production, origin)).headers).not.toHaveProperty('access-control-allow-origin')
      const preflight = await askFirst(production, origin, 'POST')
      expect(preflight.headers).not.toHaveProperty('access-control-allow-origin')
    }
  })
})
