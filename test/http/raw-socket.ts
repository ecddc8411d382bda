import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeAll, expect } from 'vitest'
import { ERRORS, type ErrorCode } from '../../src/errors.js'
import { type TestApp, type TestAppOptions, useTestApp } from '../support/test-app.js'

export interface ListeningApp {
  readonly app: TestApp
  open(options?: { allowHalfOpen?: boolean }): Promise<Client>
  /** Sends these bytes and returns what comes back until the server closes the connection. */
  exchange(bytes: string | Buffer, options?: { thenEnd?: boolean }): Promise<string>
}

export interface Client {
  readonly socket: Socket
  /** What has come back so far. */
  received(): string
  /** When the server has closed the connection, or broken it. */
  readonly closed: Promise<void>
}

/** Well below the time for which the server keeps a connection that it has no quarrel with. */
const PATIENCE_MS = 20_000

/** A server on a real port. After each test it must serve the next client and have found no fault with itself. */
export function useListeningApp(options: TestAppOptions = {}): ListeningApp {
  const app = useTestApp(options)
  let port = 0
  beforeAll(async () => {
    await app.server.listen({ port: 0, host: '127.0.0.1' })
    port = (app.server.server.address() as AddressInfo).port
  })

  const open: ListeningApp['open'] = async (options = {}) => {
    const socket = connect({ port, host: '127.0.0.1', ...options })
    let received = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      received += chunk
    })
    // The server may cut the connection while there is still something to send.
    socket.on('error', () => {})
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    await once(socket, 'connect')
    return { socket, received: () => received, closed }
  }
  const exchange: ListeningApp['exchange'] = async (bytes, { thenEnd = false } = {}) => {
    const { socket, received, closed } = await open()
    socket.write(bytes)
    if (thenEnd) socket.end()
    const isClosed = closed.then(() => true)
    const isInTime = await Promise.race([isClosed, delay(PATIENCE_MS, false, { ref: false })])
    socket.destroy()
    expect(isInTime, `the server closes the connection on which it has sent ${received()}`).toBe(true)
    return received()
  }

  afterEach(async () => {
    const next = await exchange('GET /health/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    expect(next).toContain('{"status":"ready"')
    expect(app.logLines.filter((line) => JSON.parse(line).level === 'error')).toStrictEqual([])
  })
  return { app, open, exchange }
}

/** Checks the whole of what was received: one refusal, and that nothing comes after it. */
export function expectRefusal(received: string, code: ErrorCode): void {
  const [head, body] = received.split('\r\n\r\n') as [string, string]
  const [statusLine, ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(lines.map((line) => line.toLowerCase().split(': ') as [string, string]))
  const problem = JSON.parse(body)
  expect(statusLine).toBe(`HTTP/1.1 ${problem.status} ${problem.title}`)
  expect(problem).toStrictEqual({
    type: 'about:blank',
    title: expect.any(String),
    status: ERRORS[code].status,
    detail: ERRORS[code].detail,
    code,
    request_id: headers['x-request-id'],
  })
  expect(headers).toMatchObject({
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    connection: 'close',
  })
  expect(headers).not.toHaveProperty('server')
}

/** The status of each reply, in order; an interim one counts too. */
export const statusesOf = (received: string): number[] =>
  [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
