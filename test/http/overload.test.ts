import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { promisify } from 'node:util'
import { describe, expect, test, vi } from 'vitest'
import { FIND_BY_EMAIL } from '../../src/accounts/sql.js'
import { onAnswered } from '../support/answered-statements.js'
import { nativeHashEngine } from '../support/native-hash-engine.js'
import { PASSWORD, QUIET_FEED, type Reply, useTestApp } from '../support/test-app.js'
import { waitUntil } from '../support/wait-until.js'
import { expectProblem } from './expect-problem.js'

function deferred() {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

describe('when more passwords arrive than can be hashed', () => {
  // The engine holds every password back while the gate is closed; then each takes this long.
  const HASH_MS = 130
  let gate = Promise.resolve()
  let now = 0
  let hashed = 0
  let lookups = 0
  const app = useTestApp({
    hashEngine: {
      ...nativeHashEngine,
      bcryptHash(...values) {
        now += HASH_MS
        return nativeHashEngine.bcryptHash(...values)
      },
      async bcryptVerify(...values) {
        await gate
        hashed++
        now += HASH_MS
        return nativeHashEngine.bcryptVerify(...values)
      },
    },
    intercept: onAnswered((text) => {
      if (text === FIND_BY_EMAIL) lookups++
    }),
    monotonicMs: () => now,
    environment: { ...QUIET_FEED, HASH_THREADS: '1' },
  })
  // In the two seconds of HASH_MAX_WAIT fifteen could be hashed, beside the one at work.
  const ACCEPTED = 1 + 15
  const REFUSED = 20

  test('the rest is refused at once, everything else goes on, and the accepted ones are served', async () => {
    const user = await app.newUser()
    const closed = deferred()
    gate = closed.promise
    const refused = deferred()
    const early: Reply[] = []
    const logins = Array.from({ length: ACCEPTED + REFUSED }, async (_, i) => {
      // An address that nobody has is treated as any other.
      const email = i % 2 === 0 ? user.email : 'nobody@example.com'
      const reply = await app.post('/api/auth/login', { email, password: PASSWORD })
      if (early.push(reply) === REFUSED) refused.resolve()
      return reply
    })

    await refused.promise
    for (const reply of early.slice(0, REFUSED)) {
      expectProblem(reply, 'overloaded')
      // Fifteen wait, each for 130 ms.
      expect(reply.headers['retry-after']).toBe('2')
    }
    const registration = { email: 'late@example.com', name: 'Late', password: PASSWORD }
    expectProblem(await app.post('/api/auth/register', registration), 'overloaded')
    const passwords = { current_password: PASSWORD, new_password: `${PASSWORD}2` }
    expectProblem(await user.post('/api/auth/password', passwords), 'overloaded')
    expect((await app.get('/health/live')).status).toBe(200)
    expect((await app.get('/health/ready')).status).toBe(200)
    expect((await user.get('/api/auth/profile')).body.id).toBe(user.id)
    expect((await user.put('/api/auth/profile', { name: 'Renamed' })).status).toBe(200)
    expect(early).toHaveLength(REFUSED)

    closed.resolve()
    const statuses = (await Promise.all(logins)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(8)
    expect(statuses.filter((status) => status === 401)).toHaveLength(8)
    expect(statuses.filter((status) => status === 503)).toHaveLength(REFUSED)
    expect((await app.post('/api/auth/login', { email: user.email, password: PASSWORD })).status).toBe(200)
  })

  test('a refusal asks the database nothing, and one line tells of many', async () => {
    const user = await app.newUser()
    const closed = deferred()
    gate = closed.promise
    const login = (password: string) => app.post('/api/auth/login', { email: user.email, password })
    lookups = 0
    const accepted = Array.from({ length: ACCEPTED }, () => login(PASSWORD))
    await waitUntil('all of them wait', () => lookups === ACCEPTED)
    const spy = vi.spyOn(app.database, 'query')
    expectProblem(await login(PASSWORD), 'overloaded')
    expect(spy).not.toHaveBeenCalled()
    spy.mockRestore()
    closed.resolve()
    for (const { status } of await Promise.all(accepted)) expect(status).toBe(200)
    expect(app.logLines.filter((line) => line.includes('request refused'))).toEqual([])
  })

  test('another address is let in while one holds all places', async () => {
    const user = await app.newUser()
    const closed = deferred()
    gate = closed.promise
    const loginFrom = async (remoteAddress: string) => {
      const payload = { email: user.email, password: PASSWORD }
      return (await app.send({ method: 'POST', url: '/api/auth/login', payload, remoteAddress })).status
    }
    lookups = 0
    const crowd = Array.from({ length: ACCEPTED }, () => loginFrom('2001:db8::1'))
    await waitUntil('all of them wait', () => lookups === ACCEPTED)
    // Its other addresses are the same client.
    expect(await loginFrom('2001:db8::2')).toBe(503)
    const other = loginFrom('192.0.2.1')
    // One of the crowd has given its place up.
    expect(await Promise.race(crowd)).toBe(503)
    closed.resolve()
    expect(await other).toBe(200)
    expect((await Promise.all(crowd)).filter((status) => status === 200)).toHaveLength(ACCEPTED - 1)
  })

  test('clients that hang up lose their places to others', async () => {
    const user = await app.newUser()
    const closed = deferred()
    gate = closed.promise
    const url = `${await app.server.listen({ port: 0, host: '127.0.0.1' })}/api/auth/login`
    const login = async (signal: AbortSignal) => {
      const body = JSON.stringify({ email: user.email, password: PASSWORD })
      const headers = { 'content-type': 'application/json' }
      return (await fetch(url, { method: 'POST', body, headers, signal })).status
    }
    const staying = new AbortController().signal
    lookups = 0
    const leaving = new AbortController()
    const connections = promisify(app.server.server.getConnections.bind(app.server.server))
    const hungUp = Promise.allSettled(Array.from({ length: ACCEPTED }, () => login(leaving.signal)))
    await waitUntil('all of them wait', () => lookups === ACCEPTED)
    expect(await login(staying)).toBe(503)
    leaving.abort()
    expect((await hungUp).every(({ status }) => status === 'rejected')).toBe(true)
    await waitUntil('the server has heard of it', async () => (await connections()) <= 1)
    hashed = 0
    closed.resolve()
    expect(await login(staying)).toBe(200)
    // Its own; the one that was being hashed when they left had begun before.
    expect(hashed).toBeLessThanOrEqual(2)
  })

  test('log-ins that were pipelined on one connection lose their places with it', async () => {
    const user = await app.newUser()
    const closed = deferred()
    gate = closed.promise
    const { port } = app.server.server.address() as AddressInfo
    const body = JSON.stringify({ email: user.email, password: PASSWORD })
    const request = `POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    lookups = 0
    const accepted = once(app.server.server, 'connection') as Promise<[Socket]>
    const socket = connect(port, '127.0.0.1')
    socket.write(request.repeat(ACCEPTED))
    const [heard] = await accepted
    await waitUntil('all of them wait', () => lookups === ACCEPTED)
    socket.destroy()
    await waitUntil('the server has heard of it', () => heard.destroyed)
    hashed = 0
    closed.resolve()
    expect((await app.post('/api/auth/login', { email: user.email, password: PASSWORD })).status).toBe(200)
    expect(hashed).toBeLessThanOrEqual(2)
  })
})
