import type { InjectOptions } from 'fastify'
import { describe, expect, test } from 'vitest'
import { PASSWORD, QUIET_FEED, type Reply, useTestApp } from '../support/test-app.js'
import { expectProblem } from './expect-problem.js'

/** Where the clock that only ever grows stands; a window begins at each whole minute. */
let nowMs = 0
const FEED_TOKEN = 'Qm4rTs9WbYc3DfGh6KjEaJ8vXk2pQz7L'
const QUOTA = 6
const app = useTestApp({
  monotonicMs: () => nowMs,
  environment: {
    ...QUIET_FEED,
    RATE_LIMIT: 'on',
    RATE_LIMIT_REQUESTS: String(QUOTA),
    RATE_LIMIT_REGISTRATIONS: '3',
    RATE_LIMIT_REFRESHES: '2',
    REVOCATION_FEED_TOKEN: FEED_TOKEN,
    CORS_ORIGINS: 'https://app.example.com',
  },
})

const startWindow = (): void => {
  nowMs = (Math.floor(nowMs / 60_000) + 1) * 60_000
}

let addresses = 0
const newAddress = (): string => `198.51.100.${++addresses}`

const send = (target: string, remoteAddress: string, options: InjectOptions = {}): Promise<Reply> => {
  const [method, url] = target.split(' ') as ['GET', string]
  return app.send({ method, url, remoteAddress, ...options })
}

function expectRefused(reply: Reply, retryAfterSeconds: number): void {
  expectProblem(reply, 'too_many_requests')
  expect(Number(reply.headers['retry-after'])).toBe(retryAfterSeconds)
}

async function spend(address: string, target = 'GET /api/auth/profile'): Promise<void> {
  for (let i = 0; i < QUOTA; i++) expect((await send(target, address)).status).not.toBe(429)
}

interface Described {
  readonly paths: Record<string, Record<string, { responses: Record<string, { description: string }> }>>
}

describe('all requests of one client', () => {
  test('have a limit a minute, which every answer states', async () => {
    startWindow()
    const address = newAddress()
    for (let remaining = QUOTA - 1; remaining >= 0; remaining--) {
      const reply = await send('GET /api/auth/profile', address)
      expectProblem(reply, 'not_authenticated')
      expect(reply.headers['ratelimit-policy']).toBe(`"requests";q=${QUOTA};w=60`)
      expect(reply.headers.ratelimit).toBe(`"requests";r=${remaining};t=60`)
    }
    nowMs += 18_400
    const refused = await send('GET /api/auth/profile', address)
    expectRefused(refused, 42)
    expect(refused.headers.ratelimit).toBe('"requests";r=0;t=42')
    nowMs += 41_599
    expectRefused(await send('GET /api/auth/profile', address), 1)
    nowMs += 1
    const fresh = await send('GET /api/auth/profile', address)
    expect(fresh.headers.ratelimit).toBe(`"requests";r=${QUOTA - 1};t=60`)
  })

  test('are refused where /openapi.json says so, and nowhere else', async () => {
    startWindow()
    const address = newAddress()
    await spend(address)
    const { paths } = (await app.get('/openapi.json')).body as Described
    for (const [url, item] of Object.entries(paths)) {
      for (const [method, { responses }] of Object.entries(item)) {
        const target = `${method.toUpperCase()} ${url}`
        const isDescribed = responses[429]?.description.includes('`too_many_requests`') ?? false
        expect([target, (await send(target, address)).status === 429]).toStrictEqual([target, isDescribed])
      }
    }
  })

  test('are counted together, whatever they are for', async () => {
    startWindow()
    const address = newAddress()
    const targets = [
      'GET /nope',
      'DELETE /api/auth/login',
      'HEAD /api/auth/profile',
      'POST /api/auth/login',
      'GET /openapi.json',
      'GET /docs',
    ]
    for (const target of targets) expect((await send(target, address)).status).not.toBe(429)
    for (const target of ['GET /api/auth/profile', 'GET /nope', 'PATCH /api/auth/login', 'GET /docs']) {
      expectRefused(await send(target, address), 60)
    }
    expect((await send('HEAD /api/auth/profile', address)).status).toBe(429)
  })

  test.for([
    ['the addresses of one IPv6 /64', '2001:db8:5:1::1', '2001:db8:5:1:ffff::2', '2001:db8:5:2::1'],
    ['an IPv4 address and its IPv6 form', '203.0.113.5', '::ffff:203.0.113.5', '::ffff:203.0.113.6'],
    ['an IPv4 address and its NAT64 form', '203.0.113.7', '64:ff9b::203.0.113.7', '64:ff9b::203.0.113.8'],
  ] as const)('are those of %s', async ([, first, same, other]) => {
    startWindow()
    await spend(first)
    expectRefused(await send('GET /api/auth/profile', same), 60)
    expectProblem(await send('GET /api/auth/profile', other), 'not_authenticated')
  })

  test('are refused before anything is done for them', async () => {
    startWindow()
    const address = newAddress()
    await spend(address)
    const logged = app.logLines.length
    const payload = { email: 'nobody@example.com', password: PASSWORD }
    expectRefused(await send('POST /api/auth/login', address, { payload }), 60)
    expectRefused(await send('POST /api/auth/login', address, { payload: '{' }), 60)
    // Nothing but the one line that tells of refusals.
    const lines = app.logLines.slice(logged).map((line) => JSON.parse(line))
    expect(lines).toMatchObject([{ event: 'request_refused', address, count: 1 }])
  })
})

describe('not limited', () => {
  test('is what supervises the server, and the feed of ended sessions', async () => {
    startWindow()
    const address = newAddress()
    await spend(address)
    for (let i = 0; i < 3; i++) {
      for (const target of ['GET /health/live', 'GET /health/ready', 'GET /api/auth/revocations']) {
        const reply = await send(target, address, { headers: { authorization: `Bearer ${FEED_TOKEN}` } })
        expect(reply.status).toBe(200)
        expect(reply.headers).not.toHaveProperty('ratelimit')
      }
    }
  })

  test('is a browser that asks first; and it may read a refusal', async () => {
    startWindow()
    const address = newAddress()
    const headers = { origin: 'https://app.example.com', 'access-control-request-method': 'PUT' }
    for (let i = 0; i < QUOTA + 2; i++) {
      expect((await send('OPTIONS /api/auth/profile', address, { headers })).status).toBe(204)
    }
    await spend(address)
    const refused = await send('GET /api/auth/profile', address, { headers })
    expectRefused(refused, 60)
    expect(refused.headers['access-control-allow-origin']).toBe('https://app.example.com')
  })
})

describe('the costly requests of one client', () => {
  test.for([
    ['registrations', 'POST /api/auth/register', 3],
    ['refreshes', 'POST /api/auth/refresh', 2],
  ] as const)('have a stricter limit of their own: %s', async ([name, target, quota]) => {
    startWindow()
    const address = newAddress()
    for (let i = 1; i <= quota; i++) {
      const reply = await send(target, address, { payload: {} })
      expectProblem(reply, 'validation_failed', expect.anything() as never)
      expect(reply.headers['ratelimit-policy']).toBe(`"requests";q=${QUOTA};w=60, "${name}";q=${quota};w=60`)
      expect(reply.headers.ratelimit).toBe(`"requests";r=${QUOTA - i};t=60, "${name}";r=${quota - i};t=60`)
    }
    // However the address is spelled.
    const spelled = `${target.slice(0, -1)}%${target.charCodeAt(target.length - 1).toString(16)}/`
    for (const each of [target, spelled]) expectRefused(await send(each, address, { payload: {} }), 60)
    expectProblem(await send('GET /api/auth/profile', address), 'not_authenticated')
  })
})

describe('with RATE_LIMIT=off', () => {
  const unlimited = useTestApp({
    environment: { RATE_LIMIT: 'off', RATE_LIMIT_REQUESTS: '1', RATE_LIMIT_REGISTRATIONS: '1' },
  })

  test('nothing is counted, and no answer speaks of limits', async () => {
    for (let i = 0; i < 4; i++) {
      const reply = await unlimited.post('/api/auth/register', {})
      expect(reply.status).toBe(400)
      expect(reply.headers).not.toHaveProperty('ratelimit')
      expect(reply.headers).not.toHaveProperty('ratelimit-policy')
    }
  })
})
