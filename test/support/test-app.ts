import type { FastifyInstance, InjectOptions } from 'fastify'
import { afterAll, beforeAll } from 'vitest'
import { compose } from '../../src/compose.js'
import { readConfig } from '../../src/config.js'
import type { Database } from '../../src/db/database.js'
import { migrate } from '../../src/db/migrate.js'
import { createLog } from '../../src/log.js'
import type { UserCommand, UserReport } from '../../src/operators/commands.js'
import type { KeyCommand, KeyReport } from '../../src/operators/key-commands.js'
import type { HashEngine } from '../../src/passwords/hash-engine.js'
import { createHashThreads } from '../../src/passwords/hash-threads.js'
import { openTestDatabase } from './test-database.js'

export const SECRET = 'J8vXk2pQz7LmN4rTs9WbYc3DfGh6KjEa'
/**
 * A whole second, so that token times are easy to reason about; far ahead of the databases' own clock, by which what has
 * expired is forgotten.
 */
export const NOW = Date.UTC(2099, 10, 22, 12, 0, 0)
/** For tests of what the database's own clock judges: the feed, the purge. */
export const PRESENT = Math.floor(Date.now() / 1000) * 1000
/** The feed is read when this server ends a session, and at no other time: what SQL does to an account stays unheard. */
export const QUIET_FEED = { REVOCATION_POLL_INTERVAL: '60000', REVOCATION_MAX_STALENESS: '3600' }
export const PASSWORD = 'C0rrect-horse!battery'

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>
  readonly text: string
  /** The parsed body; of any shape, for the test to look into. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
}

/** An account that a test has registered, with a client that sends its token. */
export interface User {
  readonly id: string
  readonly email: string
  readonly password: string
  readonly token: string
  readonly refreshToken: string
  readonly sessionId: string
  get(url: string): Promise<Reply>
  post(url: string, body?: unknown): Promise<Reply>
  put(url: string, body?: unknown): Promise<Reply>
  delete(url: string): Promise<Reply>
}

export interface TestApp {
  readonly server: FastifyInstance
  readonly database: Database
  /** Every line the server has logged, as text. */
  readonly logLines: string[]
  /** Moves this server's time forward. */
  passSeconds(seconds: number): void
  send(request: InjectOptions): Promise<Reply>
  get(url: string, token?: string): Promise<Reply>
  post(url: string, body?: unknown, token?: string): Promise<Reply>
  put(url: string, body?: unknown, token?: string): Promise<Reply>
  delete(url: string, token?: string): Promise<Reply>
  /** Sends a refresh token. */
  refresh(refreshToken: string): Promise<Reply>
  /** Opens another session of an account. */
  login(user: Pick<User, 'email' | 'password'>): Promise<User>
  runUserCommand(command: UserCommand): Promise<UserReport>
  runKeyCommand(command: KeyCommand): Promise<KeyReport>
  /** Registers an account under an address of its own. */
  newUser(fields?: { email?: string; name?: string; password?: string }): Promise<User>
  /** The logged security events of this name, oldest first. */
  // oxlint-disable-next-line typescript/no-explicit-any
  events(name: string): any[]
}

export interface TestAppOptions {
  readonly environment?: Readonly<Record<string, string>>
  readonly hashEngine?: HashEngine
  /** Where its clock stands; default `NOW`. */
  readonly startAt?: number
  readonly monotonicMs?: () => number
  /** Stands between the server and its database. */
  readonly intercept?: (database: Database) => Database
  /** Runs on the empty database, before the migrations. */
  readonly prepare?: (database: Database) => Promise<void>
}

/**
 * A complete server for the tests of a file, in-process, on this project's database, with a clock that stands still.
 * Cheap hashes unless the environment says otherwise. Call it at the top of a file or of a `describe`.
 */
export function useTestApp(options: TestAppOptions = {}): TestApp {
  const app = {} as TestApp
  let close = async (): Promise<void> => {}
  beforeAll(async () => {
    const database = await openTestDatabase()
    await options.prepare?.(database)
    await migrate(database)
    const built = await buildTestApp(database, options)
    Object.assign(app, built)
    close = async () => {
      await built.server.close()
      await database.close()
    }
  })
  afterAll(() => close())
  return app
}

/** For all servers of a test file; they end with it. */
const hashThreads = createHashThreads(2)
let users = 0

/** A server on a database that the test has opened and migrated; the test closes both. */
export async function buildTestApp(database: Database, options: TestAppOptions = {}): Promise<TestApp> {
  const logLines: string[] = []
  let now = options.startAt ?? NOW
  const config = readConfig({
    NODE_ENV: 'test',
    BETTER_AUTH_SECRET: SECRET,
    BCRYPT_COST: '4',
    RATE_LIMIT: 'off',
    ...options.environment,
  })
  const {
    app: server,
    runUserCommand,
    runKeyCommand,
  } = await compose({
    config,
    generatedSecret: null,
    database: options.intercept?.(database) ?? database,
    log: createLog('debug', { write: (line) => void logLines.push(line) }),
    clock: () => now,
    ...(options.monotonicMs && { monotonicMs: options.monotonicMs }),
    hashEngine: options.hashEngine ?? hashThreads,
  })

  const send = async (request: InjectOptions): Promise<Reply> => {
    const { statusCode, headers, body } = await server.inject(request)
    const isJson = String(headers['content-type']).includes('json')
    return {
      status: statusCode,
      headers,
      text: body,
      body: isJson && body !== '' ? JSON.parse(body) : undefined,
    }
  }
  const sendJson = (
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    body: unknown,
    token?: string,
  ): Promise<Reply> =>
    send({
      method,
      url,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { payload: JSON.stringify(body) }),
    })

  const openSession = async (
    url: string,
    body: { email: string; password: string; name?: string },
  ): Promise<User> => {
    const reply = await sendJson('POST', url, body)
    if (reply.status >= 300) throw new Error(`${url} refused ${body.email}: ${reply.text}`)
    const token: string = reply.body.access_token
    return {
      id: reply.body.user.id,
      email: reply.body.user.email,
      password: body.password,
      token,
      refreshToken: reply.body.refresh_token,
      sessionId: readClaims(token).sid,
      get: (address) => sendJson('GET', address, undefined, token),
      post: (address, payload) => sendJson('POST', address, payload, token),
      put: (address, payload) => sendJson('PUT', address, payload, token),
      delete: (address) => sendJson('DELETE', address, undefined, token),
    }
  }

  return {
    server,
    database,
    logLines,
    passSeconds: (seconds) => {
      now += seconds * 1000
    },
    send,
    get: (url, token) => sendJson('GET', url, undefined, token),
    post: (url, body, token) => sendJson('POST', url, body, token),
    put: (url, body, token) => sendJson('PUT', url, body, token),
    delete: (url, token) => sendJson('DELETE', url, undefined, token),
    refresh: (refreshToken) => sendJson('POST', '/api/auth/refresh', { refresh_token: refreshToken }),
    login: ({ email, password }) => openSession('/api/auth/login', { email, password }),
    runUserCommand,
    runKeyCommand,
    events: (name) => logLines.map((line) => JSON.parse(line)).filter(({ event }) => event === name),
    newUser: (fields = {}) =>
      openSession('/api/auth/register', {
        email: `user-${++users}@example.com`,
        password: PASSWORD,
        name: 'Test User',
        ...fields,
      }),
  }
}

/** The claims of an access token, unverified; of any shape, for the test to look into. */
// oxlint-disable-next-line typescript/no-explicit-any
export function readClaims(token: string): any {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
}
