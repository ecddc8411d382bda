import { beforeAll, describe, expect, test } from 'vitest'
import { waitUntil } from '../support/wait-until.js'
import { type Client, expectRefusal, statusesOf, useListeningApp } from './raw-socket.js'

const { app, open } = useListeningApp()

const LIVE = 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n'
const LOGIN = 'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'

test('a client has 10 s for its headers, 20 s for its request, and 2 minutes in which nothing moves', () => {
  const { headersTimeout, requestTimeout, timeout, keepAliveTimeout } = app.server.server
  expect({ headersTimeout, requestTimeout, timeout, keepAliveTimeout }).toStrictEqual({
    headersTimeout: 10_000,
    requestTimeout: 20_000,
    timeout: 120_000,
    keepAliveTimeout: 72_000,
  })
})

describe('with a tenth of a second for each, a client that', () => {
  beforeAll(() => {
    // Node looks every two seconds at how long requests take, whatever the limit.
    Object.assign(app.server.server, { headersTimeout: 100, requestTimeout: 100, keepAliveTimeout: 100 })
  })

  /** Sends one byte after the other for as long as the server listens. */
  async function trickle({ socket, closed }: Client, bytes: string): Promise<void> {
    let at = 0
    const timer = setInterval(() => socket.write(bytes[at++ % bytes.length] ?? ''), 20)
    await closed
    clearInterval(timer)
  }

  const refused = async (start: string, rest: string): Promise<void> => {
    const client = await open()
    client.socket.write(start)
    await trickle(client, rest)
    expectRefusal(client.received(), 'request_timeout')
  }

  test('sends its headers byte by byte gets 408', () => refused('GET /health/live HTTP/1.1\r\n', 'x: y\r\n'))
  test('sends the first line byte by byte gets 408', () => refused('', `GET /${'x'.repeat(5_000)}`))
  test('sends its body byte by byte gets 408', () => refused(`${LOGIN}Content-Length: 9999\r\n\r\n`, ' '))
  test('sends a chunk byte by byte gets 408', () =>
    refused(`${LOGIN}Transfer-Encoding: chunked\r\n\r\nffff\r\n`, ' '))
  test('sends a chunk extension byte by byte gets 408', () =>
    refused(`${LOGIN}Transfer-Encoding: chunked\r\n\r\n2;`, 'x'))
  test('sends trailers byte by byte gets 408', () =>
    refused(`${LOGIN}Transfer-Encoding: chunked\r\n\r\n0\r\n`, 'x: y\r\n'))

  test('sends nothing at all gets 408', async () => {
    const { received, closed } = await open()
    await closed
    expectRefusal(received(), 'request_timeout')
  })

  test('asks for a body to be awaited and sends none gets 408', async () => {
    const { socket, received, closed } = await open()
    socket.write(`${LOGIN}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`)
    await closed
    expect(statusesOf(received())).toStrictEqual([100, 408])
  })

  test('is slow with its second request gets the reply to its first, and 408', async () => {
    const client = await open()
    client.socket.write(`${LIVE}GET /health/live HTTP/1.1\r\n`)
    await trickle(client, 'x: y\r\n')
    expect(statusesOf(client.received())).toStrictEqual([200, 408])
  })

  test('keeps its connection open without a request is cut off', async () => {
    const { socket, received, closed } = await open()
    socket.write(LIVE)
    await closed
    expect(statusesOf(received())).toStrictEqual([200])
  })
})

test('a client that asks and asks and never reads is cut off', async () => {
  const { server } = app.server
  server.timeout = 200
  const { socket } = await open()
  socket.pause()
  const requests = 'GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1_000)
  socket.write(requests)
  const connections = (): Promise<number> =>
    new Promise((resolve) => server.getConnections((_, count) => resolve(count)))
  await waitUntil('the server accepts', async () => (await connections()) > 0)
  await waitUntil('the server cuts off who does not read', async () => (await connections()) === 0)
  socket.destroy()
})
