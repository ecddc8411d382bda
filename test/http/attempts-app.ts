import { expect } from 'vitest'
import { nativeHashEngine } from '../support/native-hash-engine.js'
import { type Reply, type TestApp, type User, useTestApp } from '../support/test-app.js'
import { expectProblem } from './expect-problem.js'

export const WRONG = 'wr0ng-Password!'
export const environment = {
  RATE_LIMIT: 'on',
  RATE_LIMIT_REQUESTS: '1000000000',
  RATE_LIMIT_REGISTRATIONS: '1000000000',
  HASH_THREADS: '2',
}

let checks = 0
let gate = Promise.resolve()
/** Counts the passwords that were compared. */
export const hashEngine: typeof nativeHashEngine = {
  ...nativeHashEngine,
  async bcryptVerify(...values) {
    checks++
    await gate
    return nativeHashEngine.bcryptVerify(...values)
  },
}

/** The same, on a clock that each hash moves on by a second, so that no more than the fewest may wait for one. */
export const slowHashEngine = (passMs: (milliseconds: number) => void): typeof nativeHashEngine => ({
  ...hashEngine,
  bcryptHash(...values) {
    passMs(1_000)
    return hashEngine.bcryptHash(...values)
  },
})

export async function checksDuring(work: () => Promise<unknown>): Promise<number> {
  const before = checks
  await work()
  return checks - before
}

/** Lets no comparison end until it is released. */
export function holdHashes() {
  const before = checks
  let release = (): void => {}
  gate = new Promise((resolve) => {
    release = resolve
  })
  return { held: () => checks - before, release }
}

let addresses = 0
/** An address from which nothing has come yet. */
export const newAddress = (): string => `198.51.${Math.floor(++addresses / 250)}.${(addresses % 250) + 1}`
let emails = 0
export const newEmail = (): string => `nobody-${++emails}@example.com`

export function expectRefused(reply: Reply, retryAfterSeconds: number): void {
  expectProblem(reply, 'too_many_attempts')
  expect(Number(reply.headers['retry-after'])).toBe(retryAfterSeconds)
}

/** Comes back while the server is too busy, as somebody who is guessing would. */
export async function untilAnswered(send: () => Promise<Reply>): Promise<Reply> {
  for (;;) {
    const reply = await send()
    if (reply.status !== 503) return reply
  }
}

/** A server that limits attempts at passwords, and what clients of it do. */
export function useAttemptsApp() {
  const app = useTestApp({ environment, hashEngine })

  const logIn = (email: string, password: string, remoteAddress: string, server: TestApp = app) =>
    server.send({ method: 'POST', url: '/api/auth/login', payload: { email, password }, remoteAddress })

  const changePassword = (user: User, password: string, remoteAddress: string) =>
    app.send({
      method: 'POST',
      url: '/api/auth/password',
      headers: { authorization: `Bearer ${user.token}` },
      payload: { current_password: password, new_password: 'N3w-horse!staple' },
      remoteAddress,
    })

  async function fail(times: number, email: string, address: string, server: TestApp = app): Promise<void> {
    for (let i = 0; i < times; i++) {
      expectProblem(await logIn(email, WRONG, address, server), 'invalid_credentials')
    }
  }

  /** What an address still gets: how many wrong passwords in a row are answered, and the wait after them. */
  async function failUntilRefused(email: () => string, address: () => string) {
    for (let failures = 0; ; failures++) {
      const reply = await logIn(email(), WRONG, address())
      if (reply.status === 429) return { failures, wait: Number(reply.headers['retry-after']) }
    }
  }

  return { app, logIn, changePassword, fail, failUntilRefused }
}

/** Seconds since the epoch on this server's clock. */
export async function nowOf(server: TestApp): Promise<number> {
  const { created_at: createdAt } = (await (await server.newUser()).get('/api/auth/profile')).body
  return Date.parse(createdAt) / 1000
}
