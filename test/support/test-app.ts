import type { FastifyInstance, InjectOptions } from 'fastify'
import { afterAll, beforeAll } from 'vitest'
import { compose } from '../../src/compose.js'
import { readConfig } from '../../src/config.js'
import type { Database } from '../../src/db/database.js'
import { migrate } from '../../src/db/migrate.js'
import { createLog } from '../../src/log.js'
import type { HashEngine } from '../../src/passwords/hash-engine.js'
import { openTestDatabase } from './test-database.js'

export const SECRET = 'J8vXk2pQz7LmN4rTs9WbYc3DfGh6KjEa'
/** A whole second, so that token times are easy to reason about. */
export const NOW = Date.UTC(2026, 10, 22, 12, 0, 0)
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
  get(url: string): Promise<Reply>
  post(url: string, body?: unknown): Promise<Reply>
  put(url: string, body?: unknown): Promise<Reply>
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
  /** Registers an account under an address of its own. */
  newUser(fields?: { email?: string; name?: string; password?: string }): Promise<User>
  /** The logged security events of this name, oldest first. */
  // oxlint-disable-next-line typescript/no-explicit-any
  events(name: string): any[]
}

interface TestAppOptions {
  readonly environment?: Readonly<Record<string, string>>
  readonly hashEngine?: HashEngine
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

let users = 0

async function buildTestApp(database: Database, options: TestAppOptions): Promise<TestApp> {
  const logLines: string[] = []
  let now = NOW
  const config = readConfig({
    NODE_ENV: 'test',
    BETTER_AUTH_SECRET: SECRET,
    BCRYPT_COST: '4',
    ...options.environment,
  })
  const server = await compose({
    config,
    tokenSecret: config.tokenSecret ?? SECRET,
    database,
    log: createLog('debug', { write: (line) => void logLines.push(line) }),
    clock: () => now,
    ...(options.hashEngine && { hashEngine: options.hashEngine }),
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
    method: 'GET' | 'POST' | 'PUT',
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
    events: (name) => logLines.map((line) => JSON.parse(line)).filter(({ event }) => event === name),
    async newUser(fields = {}) {
      const email = fields.email ?? `user-${++users}@example.com`
      const password = fields.password ?? PASSWORD
      const { status, text, body } = await sendJson('POST', '/api/auth/register', {
        email,
        password,
        name: fields.name ?? 'Test User',
      })
      if (status !== 201) throw new Error(`could not register ${email}: ${text}`)
      const token: string = body.access_token
      return {
        id: body.user.id,
        email: body.user.email,
        password,
        token,
        get: (url) => sendJson('GET', url, undefined, token),
        post: (url, payload) => sendJson('POST', url, payload, token),
        put: (url, payload) => sendJson('PUT', url, payload, token),
      }
    },
  }
}
