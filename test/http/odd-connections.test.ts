import { describe, expect, onTestFinished, test } from 'vitest'
import { waitUntil } from '../support/wait-until.js'
import { expectRefusal, statusesOf, useListeningApp } from './raw-socket.js'

const { app, open, exchange } = useListeningApp()

const LIVE = 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n'
const LAST = LIVE.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')
const LOGIN = 'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'

describe('absurd framing gets 400', () => {
  test.for([
    ['HTTP/0.9', 'GET /health/live\r\n\r\n'],
    ['a lower-case protocol', 'GET /health/live http/1.1\r\nHost: x\r\n\r\n'],
    ['HTTP/0.9 with headers', 'GET /health/live HTTP/0.9\r\nHost: x\r\n\r\n'],
    ['HTTP/2 without its preface', 'GET /health/live HTTP/2.0\r\nHost: x\r\n\r\n'],
    ['an unknown minor version', 'GET /health/live HTTP/1.2\r\nHost: x\r\n\r\n'],
    ['a request line with a blank too many', 'GET /health/live /x HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['an address with a NUL', 'GET /health\0/live HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['no address', 'GET HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a status line', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['a TLS hello', Buffer.from(`1603010200010001fc0303${'5a'.repeat(508)}`, 'hex')],
    ['an SSH greeting', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['a PostgreSQL start-up message', Buffer.from('0000000804d2162f', 'hex')],
    ['a PROXY protocol header', `PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n${LAST}`],
    ['a NUL in the name of a header', 'GET /health/live HTTP/1.1\r\nHost: x\r\nX\0Y: z\r\n\r\n'],
    ['a bare carriage return in a header', 'GET /health/live HTTP/1.1\r\nHost: x\r\nX: y\rZ: z\r\n\r\n'],
    ['two Host headers', 'GET /health/live HTTP/1.1\r\nHost: x\r\nhost: y\r\n\r\n'],
    ['the same Host twice', 'GET /health/live HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n'],
    ['two Host headers in HTTP/1.0', 'GET /health/live HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n'],
    ['no Host', 'GET /health/live HTTP/1.1\r\n\r\n'],
  ] as const)('%s', async ([, bytes]) => {
    expectRefusal(await exchange(bytes), 'malformed_request')
  })
})

test('10,000 headers get 431, and as many as fit do no harm', async () => {
  const many = (count: number): string => LAST.replace('Host', `${'a:b\r\n'.repeat(count)}Host`)
  expectRefusal(await exchange(many(10_000)), 'headers_too_large')
  expect(statusesOf(await exchange(many(2_500)))).toHaveLength(1)
})

test('a header, an address or a trailer without end is cut off at 16 KiB', async () => {
  for (const start of [
    'GET /health/live HTTP/1.1\r\nHost: ',
    'GET /',
    `${LOGIN}Transfer-Encoding: chunked\r\n\r\n0\r\nX: `,
  ]) {
    const received = await exchange(start + 'a'.repeat(200_000))
    // What is on its way when the connection is cut may break the refusal off.
    if (received !== '') expectRefusal(received, 'headers_too_large')
  }
})

describe('a protocol that is not spoken', () => {
  test.for([
    'Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n',
    'Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n',
    'Connection: close, upgrade\r\nUpgrade: TLS/1.0\r\n',
  ])('is not switched to: %j', async (headers) => {
    const received = await exchange(LIVE.replace('\r\n\r\n', `\r\n${headers}\r\n`))
    expect(statusesOf(received)).toStrictEqual([200])
    expect(received).toContain('{"status":"live"}')
  })

  test('is not tunnelled to, and the rest of the connection is no request', async () => {
    expect(await exchange(`CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n${LAST}`)).toBe('')
  })
})

test('who expects 100 Continue gets it, and then the answer to the body', async () => {
  const { socket, received, closed } = await open()
  socket.write(`${LOGIN}Connection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`)
  await waitUntil('100 Continue', () => received().includes('100 Continue\r\n\r\n'))
  socket.write('{}')
  await closed
  expect(statusesOf(received())).toStrictEqual([100, 400])
})

describe('a client that', () => {
  test('ends its half of the connection still gets its reply', async () => {
    const received = await exchange(LIVE, { thenEnd: true })
    expect(statusesOf(received)).toStrictEqual([200])
  })

  test('ends its half within the headers is refused or cut off', async () => {
    const received = await exchange('GET /health/live HTTP/1.1\r\nHo', { thenEnd: true })
    if (received !== '') expectRefusal(received, 'malformed_request')
  })

  test('never ends its half does not keep a refused connection', async () => {
    // Not because of the time that a request may take, which would end it much later.
    const { headersTimeout, requestTimeout } = app.server.server
    Object.assign(app.server.server, { headersTimeout: 0, requestTimeout: 0 })
    onTestFinished(() => void Object.assign(app.server.server, { headersTimeout, requestTimeout }))
    for (const bytes of ['garbage\r\n\r\n', `${LOGIN}Content-Length: 100000\r\n\r\n`, LAST]) {
      const { socket, received } = await open({ allowHalfOpen: true })
      socket.write(bytes)
      await waitUntil('the server closes', async () => (await countConnections()) === 0)
      expect(statusesOf(received())).toHaveLength(1)
      socket.destroy()
    }
  })

  test('resets the connection in any state disturbs nobody', async () => {
    const states = [
      '',
      'GET /he',
      LIVE,
      LIVE.repeat(100),
      `${LOGIN}Content-Length: 50\r\n\r\n{"email":`,
      'garbage\r\n\r\n',
    ]
    for (const bytes of states) {
      const { socket, closed } = await open()
      socket.write(bytes)
      socket.resetAndDestroy()
      await closed
    }
    await waitUntil('the server lets go', async () => (await countConnections()) === 0)
  })
})

const countConnections = (): Promise<number> =>
  new Promise((resolve, reject) => {
    app.server.server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
  })
