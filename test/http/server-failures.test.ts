import { afterEach, describe, expect, test } from 'vitest'
import { Refusal } from '../../src/errors.js'
import { PASSWORD, type Reply, useTestApp } from '../support/test-app.js'
import { expectProblem } from './expect-problem.js'

const app = useTestApp()

// What a driver may put into its errors, and nobody outside may see.
const INNER = 'relation "users" (password_hash) at 10.0.0.7:5432'

let restore = (): void => {}
afterEach(() => restore())

/** From now on until the end of the test, every query fails. */
function failQueries(error: () => unknown): void {
  const intact = { ...app.database }
  app.database.query = async () => {
    throw error()
  }
  restore = () => {
    Object.assign(app.database, intact)
  }
}

const THROWN: [what: string, make: () => unknown][] = [
  ['an Error', () => new Error(INNER)],
  ['a TypeError', () => new TypeError(INNER)],
  ['an Error that claims a status', () => Object.assign(new Error(INNER), { status: 418 })],
  ['a text', () => INNER],
  ['nothing at all', () => undefined],
  ['null', () => null],
]

const REQUESTS: Record<string, (token: string) => Promise<Reply>> = {
  'POST /api/auth/register': () =>
    app.post('/api/auth/register', { email: 'any@example.com', name: 'Any', password: PASSWORD }),
  'POST /api/auth/login': () => app.post('/api/auth/login', { email: 'any@example.com', password: PASSWORD }),
  'GET /api/auth/profile': (token) => app.get('/api/auth/profile', token),
  'PUT /api/auth/profile': (token) => app.put('/api/auth/profile', { name: 'Any' }, token),
  'GET /health/ready': () => app.get('/health/ready'),
}

describe.for(Object.entries(REQUESTS))('%s', ([route, request]) => {
  const [method, url] = route.split(' ')

  test.for(THROWN)('answers 500 without any inner text when %s is thrown', async ([, error]) => {
    const { token } = await app.newUser()
    failQueries(error)
    const logged = app.logLines.length
    const reply = await request(token)
    expectProblem(reply, 'internal_error')
    const lines = app.logLines.slice(logged).map((line) => JSON.parse(line))
    expect(lines).toStrictEqual([
      expect.objectContaining({
        level: 'error',
        code: 'internal_error',
        request_id: reply.body.request_id,
        method,
        route: url,
      }),
    ])
  })

  test('answers 503 and when to come back while the database is away', async () => {
    const { token } = await app.newUser()
    failQueries(() => new Refusal('database_unavailable', { retryAfterSeconds: 1, cause: new Error(INNER) }))
    const logged = app.logLines.length
    const reply = await request(token)
    expectProblem(reply, 'database_unavailable')
    expect(reply.headers['retry-after']).toBe('1')
    const lines = app.logLines.slice(logged).map((line) => JSON.parse(line))
    expect(lines).toStrictEqual([
      expect.objectContaining({
        level: 'warn',
        code: 'database_unavailable',
        request_id: reply.body.request_id,
      }),
    ])
  })
})

test('a server that fails still says that it lives, and never claims to have logged anybody out', async () => {
  const user = await app.newUser()
  failQueries(() => new Error(INNER))
  expect((await app.get('/health/live')).status).toBe(200)
  expectProblem(await user.post('/api/auth/logout'), 'internal_error')
  expect(app.events('logout')).toEqual([])
})

test('the log keeps the cause of a failure, for the operator', async () => {
  const { token } = await app.newUser()
  failQueries(() => new Error('outer', { cause: Object.assign(new Error(INNER), { detail: 'row values' }) }))
  const logged = app.logLines.length
  await app.get('/api/auth/profile', token)
  const [line] = app.logLines.slice(logged)
  expect(JSON.parse(line!).err).toMatchObject({ name: 'Error', message: 'outer', cause: { message: INNER } })
  expect(line).not.toContain('row values')
})

test('a login does not fail because its hash could not be renewed', async () => {
  const user = await app.newUser()
  const intact = { ...app.database }
  await intact.query(
    "update users set password_hash = replace(password_hash, '$2b$', '$2a$') where id = $1",
    [user.id],
  )
  app.database.query = (text, values) => {
    if (text.startsWith('update users set password_hash')) return Promise.reject(new Refusal('overloaded'))
    return intact.query(text, values)
  }
  restore = () => {
    Object.assign(app.database, intact)
  }
  const reply = await app.post('/api/auth/login', { email: user.email, password: PASSWORD })
  expect(reply.status).toBe(200)
})

test('a table that is gone is a failure like any other', async () => {
  const { token } = await app.newUser()
  await app.database.query('alter table users rename to users_elsewhere')
  try {
    for (const request of Object.values(REQUESTS).slice(0, 4)) {
      const reply = await request(token)
      expectProblem(reply, 'internal_error')
      expect(reply.text).not.toContain('users')
    }
  } finally {
    await app.database.query('alter table users_elsewhere rename to users')
  }
  expect((await app.get('/api/auth/profile', token)).status).toBe(200)
})
