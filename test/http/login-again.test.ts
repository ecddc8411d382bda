import { createHmac } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Database } from '../../src/db/database.js'
import { Refusal } from '../../src/errors.js'
import {
  buildTestApp,
  PASSWORD,
  PRESENT,
  type Reply,
  readClaims,
  SECRET,
  type TestApp,
  type User,
  useTestApp,
} from '../support/test-app.js'
import { expectProblem } from './expect-problem.js'
import { disable } from './users-table.js'

// A log-in, or a registration, by a client that holds a session (ASVS 7.2.4).

const FEED_TOKEN = 'Qm4rTs9WbYc3DfGh6KjEaJ8vXk2pQz7L'
const TTL = 600
const app = useTestApp({
  startAt: PRESENT,
  environment: { REVOCATION_FEED_TOKEN: FEED_TOKEN, ACCESS_TOKEN_TTL: `${TTL}`, ACCEPT_LEGACY_TOKENS: 'on' },
})

const logIn = ({ email, password }: Pick<User, 'email' | 'password'>, token?: string, on: TestApp = app) =>
  on.post('/api/auth/login', { email, password }, token)

const isLive = async ({ token, refreshToken }: User, on = app): Promise<boolean> => {
  const statuses = [
    (await on.get('/api/auth/profile', token)).status,
    (await on.refresh(refreshToken)).status,
  ]
  expect(new Set(statuses).size).toBe(1)
  return statuses[0] === 200
}

describe('a log-in with the access token of a session', () => {
  test('opens another one and ends that one with all of its tokens, and no other', async () => {
    const held = await app.newUser()
    const elsewhere = await app.login(held)
    const { status, body } = await logIn(held, held.token)
    expect(status).toBe(200)
    expect(readClaims(body.access_token).sid).not.toBe(held.sessionId)
    expect((await held.get('/api/auth/profile')).body.code).toBe('invalid_token')
    expect((await app.refresh(held.refreshToken)).body.code).toBe('invalid_refresh_token')
    expect((await app.get('/api/auth/profile', body.access_token)).status).toBe(200)
    expect((await app.refresh(body.refresh_token)).status).toBe(200)
    expect(await isLive(elsewhere)).toBe(true)
  })

  test('ends it whoever logs in, for a client holds one session', async () => {
    const [held, other] = [await app.newUser(), await app.newUser()]
    const { body } = await logIn(other, held.token)
    expect(body.user.id).toBe(other.id)
    expect(await isLive(held)).toBe(false)
    expect(await isLive(other)).toBe(true)
  })

  test('tells every node and guard of its end', async () => {
    const held = await app.newUser()
    await logIn(held, held.token)
    const { revocations } = (await app.get('/api/auth/revocations', FEED_TOKEN)).body
    expect(revocations.at(-1)).toMatchObject({ session_id: held.sessionId })
  })

  test('logs both', async () => {
    const held = await app.newUser()
    const logged = app.logLines.length
    const { body } = await logIn(held, held.token)
    const lines = app.logLines.slice(logged).map((line) => JSON.parse(line))
    expect(lines).toMatchObject([
      { event: 'logout', user_id: held.id, session_id: held.sessionId, reason: 'replaced' },
      { event: 'login', user_id: held.id, session_id: readClaims(body.access_token).sid },
    ])
  })

  test('that comes twice at once opens two', async () => {
    const held = await app.newUser()
    const replies = await Promise.all([logIn(held, held.token), logIn(held, held.token)])
    expect(await isLive(held)).toBe(false)
    for (const { status, body } of replies) {
      expect([status, (await app.get('/api/auth/profile', body.access_token)).status]).toEqual([200, 200])
    }
  })
})

test('a registration with the access token of a session ends that session', async () => {
  const held = await app.newUser()
  const body = { email: 'another@example.com', name: 'Another', password: PASSWORD }
  const { status } = await app.post('/api/auth/register', body, held.token)
  expect(status).toBe(201)
  expect(await isLive(held)).toBe(false)
})

/** All that a client gets, without what differs between any two answers. */
const visible = ({ status, headers, body }: Reply) => ({
  status,
  headers: { ...headers, 'x-request-id': undefined, date: undefined, 'content-length': undefined },
  body: {
    ...body,
    ...(body.request_id && { request_id: '' }),
    ...(body.access_token && { access_token: '', refresh_token: '' }),
  },
})

/** As another stack with the same secret makes them: without `sid`. */
function signLegacy({ id, email }: User): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
  const claims = { sub: id, email, exp: Math.floor(PRESENT / 1000) + 86_400 }
  const input = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
  return `${input}.${createHmac('sha256', SECRET).update(input).digest('base64url')}`
}

const USELESS: [what: string, authorizationOf: (held: User) => string][] = [
  ['no token at all', () => 'Bearer '],
  ['what is no token', () => 'Bearer a.b.c'],
  ['a forged token', ({ token }) => `Bearer ${token.slice(0, -43)}${'A'.repeat(43)}`],
  ['a token respelled', ({ token }) => `Bearer ${token}=`],
  ['a refresh token', ({ refreshToken }) => `Bearer ${refreshToken}`],
  ['a password for a proxy', ({ token }) => `Basic ${token}`],
  ['a legacy token', (held) => `Bearer ${signLegacy(held)}`],
  ['the service token', () => `Bearer ${FEED_TOKEN}`],
]

test.each(USELESS)(
  'with %s a log-in is like one without any, and ends nothing',
  async (_, authorizationOf) => {
    const held = await app.newUser()
    const payload = { email: held.email, password: PASSWORD }
    const request = { method: 'POST', url: '/api/auth/login', payload } as const
    const reply = await app.send({ ...request, headers: { authorization: authorizationOf(held) } })
    expect(visible(reply)).toStrictEqual(visible(await app.send(request)))
    expect(reply.status).toBe(200)
    expect(await isLive(held)).toBe(true)
  },
)

test('with the token of a session that has ended, a log-in is like one without any', async () => {
  const ended = await app.newUser()
  await ended.post('/api/auth/logout')
  const reply = await logIn(ended, ended.token)
  expect(visible(reply)).toStrictEqual(visible(await logIn(ended)))
  expect(app.events('logout').filter(({ session_id: id }) => id === ended.sessionId)).toHaveLength(1)
})

test('with a token that has expired, a log-in is like one without any, and its session can still be refreshed', async () => {
  const held = await app.newUser()
  app.passSeconds(TTL)
  const reply = await logIn(held, held.token)
  expect(visible(reply)).toStrictEqual(visible(await logIn(held)))
  expect((await app.refresh(held.refreshToken)).status).toBe(200)
})

describe('a refused log-in with the access token of a session', () => {
  test.each([
    [
      'a wrong password',
      'invalid_credentials',
      async (user: User) => ({ ...user, password: 'wr0ng-Password!' }),
    ],
    [
      'an unknown address',
      'invalid_credentials',
      async () => ({ email: 'nobody@example.com', password: PASSWORD }),
    ],
    ['no address', 'validation_failed', async () => ({ email: '', password: PASSWORD })],
    [
      'a disabled account',
      'account_disabled',
      async () => {
        const disabled = await app.newUser()
        await disable(app.database, disabled.id)
        return disabled
      },
    ],
  ] as const)('ends nothing and looks the same: %s', async (_, code, credentialsOf) => {
    const held = await app.newUser()
    const credentials = await credentialsOf(held)
    const reply = await logIn(credentials, held.token)
    expect(reply.body.code).toBe(code)
    expect(visible(reply)).toStrictEqual(visible(await logIn(credentials)))
    expect(await isLive(held)).toBe(true)
  })

  test('and a refused registration end nothing', async () => {
    const held = await app.newUser()
    const body = { email: held.email, name: 'Again', password: PASSWORD }
    expectProblem(await app.post('/api/auth/register', body, held.token), 'email_taken')
    expect(await isLive(held)).toBe(true)
  })
})

describe('when a log-in fails halfway, the session that the client holds goes on:', () => {
  const AWAY = new Refusal('database_unavailable', { retryAfterSeconds: 1 })
  let broken = ''
  const failing = useTestApp({
    startAt: PRESENT,
    intercept: (database: Database) => ({
      ...database,
      query: async (text, ...rest) => {
        if (broken !== '' && text.includes(broken)) throw AWAY
        return database.query(text, ...rest)
      },
    }),
  })
  const breakDuringTest = (part: string): void => {
    broken = part
    onTestFinished(() => {
      broken = ''
    })
  }

  test('the database cannot open a new one', async () => {
    const held = await failing.newUser()
    breakDuringTest('insert into keyward_sessions')
    expectProblem(await logIn(held, held.token, failing), 'database_unavailable')
    expect(await isLive(held, failing)).toBe(true)
  })

  test('no key can sign its token', async () => {
    const held = await failing.newUser()
    const keyless = await buildTestApp(failing.database, {
      startAt: PRESENT,
      environment: {
        BETTER_AUTH_SECRET: '',
        BETTER_AUTH_SECRET_PREVIOUS: SECRET,
        JWT_ALGORITHM: 'EdDSA',
        KEY_ENCRYPTION_SECRET: 'tB6yWq1ZsXn8RmVc4LdKf7PjHg2UeAo9',
      },
    })
    onTestFinished(() => keyless.server.close().then(() => {}))
    await keyless.server.ready()
    await failing.database.query('delete from keyward_signing_keys')
    await keyless.runKeyCommand({ action: 'keys list', kid: null })
    expectProblem(await logIn(held, held.token, keyless), 'keys_unavailable')
    expect(await isLive(held, failing)).toBe(true)
  })

  test('and once the new one is open, the log-in succeeds though the news of the end cannot be read', async () => {
    const held = await failing.newUser()
    breakDuringTest('keyward_revocation_head')
    const { status, body } = await logIn(held, held.token, failing)
    expect(status).toBe(200)
    expect((await failing.get('/api/auth/profile', body.access_token)).status).toBe(200)
    broken = ''
    expect((await failing.refresh(held.refreshToken)).body.code).toBe('invalid_refresh_token')
    await expect.poll(async () => (await held.get('/api/auth/profile')).status).toBe(401)
  })
})
