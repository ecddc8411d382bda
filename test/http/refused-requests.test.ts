import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import type { InjectOptions } from 'fastify'
import { describe, expect, test } from 'vitest'
import { EMAIL_CANARY, PASSWORD_CANARY, STRAY_CANARY } from '../support/canary.js'
import { QUIET_FEED, type Reply, useTestApp } from '../support/test-app.js'
import { waitUntil } from '../support/wait-until.js'
import { useListeningApp } from './raw-socket.js'

/** Past it, requests of one client are refused. */
const QUOTA = 30
const FEED_TOKEN = 'Qm4rTs9WbYc3DfGh6KjEaJ8vXk2pQz7L'
const app = useTestApp({
  environment: {
    ...QUIET_FEED,
    RATE_LIMIT: 'on',
    RATE_LIMIT_REQUESTS: String(QUOTA),
    RATE_LIMIT_REGISTRATIONS: '2',
    REVOCATION_FEED_TOKEN: FEED_TOKEN,
    TRUST_PROXY: '192.0.2.0/24',
  },
})

let addresses = 0
const newAddress = (): string => `198.51.100.${++addresses}`

const send = (target: string, remoteAddress: string, options: InjectOptions = {}): Promise<Reply> => {
  const [method, url] = target.split(' ') as ['GET', string]
  return app.send({ method, url, remoteAddress, ...options })
}

/** An event to the last field, so that nothing else can be in it. */
const event = (reply: Reply, fields: Record<string, unknown>) => ({
  level: 'info',
  time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  event: 'request_refused',
  request_id: reply.headers['x-request-id'],
  count: 1,
  ...fields,
})

/** What the server logs during this work: whole lines, parsed. */
async function logDuring(work: () => Promise<unknown>): Promise<unknown[]> {
  const logged = app.logLines.length
  await work()
  return app.logLines.slice(logged).map((line) => JSON.parse(line))
}

describe('a request of the wrong form is one event, with nothing of what it holds', () => {
  const LOGIN = 'POST /api/auth/login'
  const json = { 'content-type': 'application/json' }
  const fields = { email: EMAIL_CANARY, password: PASSWORD_CANARY, [STRAY_CANARY]: STRAY_CANARY }
  const cases: [reason: string, target: string, operation: string | null, options: InjectOptions][] = [
    ['validation_failed', LOGIN, LOGIN, { payload: fields }],
    ['validation_failed', LOGIN, LOGIN, { payload: { ...fields, password: 7 } }],
    [
      'validation_failed',
      `GET /api/auth/revocations?after=${STRAY_CANARY}`,
      'GET /api/auth/revocations',
      { headers: { authorization: `Bearer ${FEED_TOKEN}` } },
    ],
    ['malformed_json', LOGIN, LOGIN, { headers: json, payload: `{"password":"${PASSWORD_CANARY}"` }],
    ['unsupported_media_type', LOGIN, LOGIN, { headers: { 'content-type': STRAY_CANARY }, payload: 'x' }],
    ['body_too_large', LOGIN, LOGIN, { headers: json, payload: PASSWORD_CANARY.padEnd(16_385) }],
    ['malformed_request', `GET /${STRAY_CANARY}%zz`, null, {}],
    ['uri_too_long', `DELETE /api/auth/sessions/${STRAY_CANARY.repeat(10)}`, null, {}],
  ]

  test.for(cases)('%s: %s', async ([reason, target, operation, options]) => {
    const address = newAddress()
    let reply: Reply | undefined
    const lines = await logDuring(async () => {
      reply = await send(target, address, options)
    })
    expect(reply!.body.code).toBe(reason)
    expect(lines).toStrictEqual([event(reply!, { address, reason, ...(operation && { operation }) })])
  })

  test('and its address is that of the client, also behind a proxy and where the target cannot be read', async () => {
    for (const [target, client] of [
      ['POST /api/auth/login', '203.0.113.1'],
      ['GET /%zz', '203.0.113.2'],
    ] as const) {
      await send(target, '192.0.2.1', { headers: { 'x-forwarded-for': client }, payload: {} })
      expect(app.events('request_refused').at(-1).address).toBe(client)
    }
  })
})

describe('a request past the limits', () => {
  test('is one event, which says of what there were too many', async () => {
    const address = newAddress()
    const register = 'POST /api/auth/register'
    for (let i = 0; i < 2; i++) await send(register, address, { payload: {} })
    let refused: Reply | undefined
    const lines = await logDuring(async () => {
      refused = await send(register, address, { payload: {} })
      for (let i = 0; i < 10; i++) await send(register, address, { payload: {} })
    })
    expect(refused!.status).toBe(429)
    expect(lines).toStrictEqual([
      event(refused!, { address, reason: 'too_many_requests', operation: register }),
    ])
  })

  test('is an event as well at an address where nothing is', async () => {
    const address = newAddress()
    const reached = await logDuring(async () => {
      for (let i = 0; i < QUOTA; i++) await send('GET /nope', address)
    })
    expect(reached).toStrictEqual([])
    let refused: Reply | undefined
    const lines = await logDuring(async () => {
      refused = await send('GET /nope', address)
    })
    expect(lines).toStrictEqual([event(refused!, { address, reason: 'too_many_requests' })])
  })
})

describe('of a flood', () => {
  test('of refused requests one client gets one line for each reason, from however many addresses of its /64', async () => {
    const block = '2001:db8:77:1'
    const lines = await logDuring(async () => {
      for (let i = 1; i <= 20; i++) {
        await send('POST /api/auth/login', `${block}::${i}`, { payload: {} })
        await send('PUT /api/auth/sessions/%zz', `${block}:${i}::`)
      }
    })
    expect(lines).toMatchObject([
      { reason: 'validation_failed', address: `${block}::1`, count: 1 },
      { reason: 'malformed_request', address: `${block}:1::`, count: 1 },
    ])
  })

  test('of one client nothing hides what another one sends', async () => {
    const [flooding, other] = [newAddress(), newAddress()]
    for (let i = 0; i < 20; i++) await send('POST /api/auth/login', flooding, { payload: {} })
    const lines = await logDuring(() => send('POST /api/auth/login', other, { payload: {} }))
    expect(lines).toMatchObject([{ reason: 'validation_failed', address: other, count: 1 }])
  })
})

test('a request in the right form is no such event, whatever becomes of it', async () => {
  const user = await app.newUser()
  const lines = await logDuring(async () => {
    expect((await user.get('/api/auth/profile')).status).toBe(200)
    expect((await app.get('/api/auth/profile')).status).toBe(401)
    expect((await app.get('/nope')).status).toBe(404)
    expect((await app.delete('/api/auth/login')).status).toBe(405)
  })
  expect(lines).toStrictEqual([])
})

describe('what cannot be read as HTTP', () => {
  const { app: listening, open, exchange } = useListeningApp()
  const problemOf = (received: string) => JSON.parse(received.slice(received.lastIndexOf('\r\n\r\n')))

  test('is no event when a client breaks its connection in the middle of its body', async () => {
    const accepted = once(listening.server.server, 'connection') as Promise<[Socket]>
    const { socket } = await open()
    const [heard] = await accepted
    socket.write('POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{')
    await waitUntil('the server reads', () => heard.bytesRead > 0)
    const gone = new Promise((resolve) => heard.once('close', resolve))
    socket.resetAndDestroy()
    await gone
    await setImmediate()
    expect(listening.logLines).toStrictEqual([])
  })

  test.for([
    ['malformed_request', 'garbage', `${STRAY_CANARY}\r\n\r\n`],
    [
      'headers_too_large',
      'too large a header',
      `GET /${STRAY_CANARY} HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(17_000)}\r\n\r\n`,
    ],
  ] as const)('is one event with the reason %s: %s', async ([reason, , bytes]) => {
    const { code, request_id: id } = problemOf(await exchange(bytes))
    expect(code).toBe(reason)
    expect(listening.events('request_refused').filter((each) => each.reason === reason)).toStrictEqual([
      {
        level: 'info',
        time: expect.any(String),
        event: 'request_refused',
        request_id: id,
        address: '127.0.0.1',
        reason,
        count: 1,
      },
    ])
  })

  test('is one event when it takes too long to come', async () => {
    // Node looks every two seconds at how long requests take, whatever the limit.
    Object.assign(listening.server.server, { headersTimeout: 100, requestTimeout: 100 })
    const { socket, received, closed } = await open()
    socket.write('GET /')
    await closed
    expect(listening.events('request_refused').at(-1)).toMatchObject({
      reason: 'request_timeout',
      request_id: problemOf(received()).request_id,
    })
  })

  test('is one line, however often it comes and in however many ways', async () => {
    await exchange('garbage\r\n\r\n')
    const before = listening.events('request_refused').length
    for (const bytes of [
      'GET / HTTP/1.1\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n',
      'GET / HTTP/9.9\r\nHost: x\r\n\r\n',
    ]) {
      expect(problemOf(await exchange(bytes)).code).toBe('malformed_request')
    }
    expect(listening.events('request_refused')).toHaveLength(before)
  })
})
