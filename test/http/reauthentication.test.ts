import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { SECRET, type TestApp, type User, useTestApp } from '../support/test-app.js'
import { expectProblem } from './expect-problem.js'

// Ending other sessions asks for a recent log-in where that is configured (ASVS 7.5.2).

const MAX_AGE = 300
const app = useTestApp({
  environment: { PRIVILEGED_SESSION_MAX_AGE: `${MAX_AGE}`, ACCEPT_LEGACY_TOKENS: 'on' },
})

const NO_SESSION = '6f1c1d0e-3c1f-4b6e-9a54-0d6a3f1f2b77'

type Ending = (token: string, other: User, on?: TestApp) => ReturnType<TestApp['post']>
const ENDINGS: [what: string, end: Ending][] = [
  [
    'another one of its sessions',
    (token, other, on = app) => on.delete(`/api/auth/sessions/${other.sessionId}`, token),
  ],
  ['all of its sessions', (token, _, on = app) => on.post('/api/auth/logout-all', undefined, token)],
  [
    'all of its sessions but one',
    (token, _, on = app) => on.post('/api/auth/logout-all', { keep_current: true }, token),
  ],
]

const isLive = async ({ token }: User, on = app): Promise<boolean> =>
  (await on.get('/api/auth/profile', token)).status === 200

/** One account with two sessions, the first opened so many seconds ago. */
async function twoSessions(seconds: number, on = app): Promise<[old: User, other: User]> {
  const old = await on.newUser()
  on.passSeconds(seconds)
  return [old, await on.login(old)]
}

describe.each(ENDINGS)('an account ends %s', (_, end) => {
  test('from a session that was opened by a password recently enough', async () => {
    const [user, other] = await twoSessions(MAX_AGE)
    expect((await end(user.token, other)).status).toBe(200)
    expect(await isLive(other)).toBe(false)
  })

  test('from no older one, and nothing ends', async () => {
    const [user, other] = await twoSessions(MAX_AGE + 1)
    expectProblem(await end(user.token, other), 'reauthentication_required')
    expect([await isLive(user), await isLive(other)]).toEqual([true, true])
    expect(app.events('session_end_refused').at(-1)).toMatchObject({
      user_id: user.id,
      session_id: user.sessionId,
      reason: 'reauthentication_required',
    })
  })

  test('from no older one that has just been refreshed, for that takes no password', async () => {
    const [user, other] = await twoSessions(MAX_AGE + 1)
    const { access_token: refreshed } = (await app.refresh(user.refreshToken)).body
    expectProblem(await end(refreshed, other), 'reauthentication_required')
    expect(await isLive(other)).toBe(true)
  })

  test('after logging in again, which replaces the older one', async () => {
    const [user, other] = await twoSessions(MAX_AGE + 1)
    const { email, password } = user
    const { body } = await app.post('/api/auth/login', { email, password }, user.token)
    expect((await end(body.access_token, other)).status).toBe(200)
    expect([await isLive(user), await isLive(other)]).toEqual([false, false])
  })

  test('from no session that a clock which was ahead has opened in the future', async () => {
    const [user, other] = await twoSessions(0)
    app.passSeconds(-MAX_AGE - 1)
    expectProblem(await end(user.token, other), 'reauthentication_required')
    app.passSeconds(MAX_AGE + 1)
    expect(await isLive(other)).toBe(true)
  })

  test('by no legacy token, which tells of no log-in', async () => {
    const user = await app.newUser()
    const legacy = await new SignJWT({ sub: user.id, email: user.email, exp: 5_000_000_000 })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .sign(Buffer.from(SECRET))
    expect((await app.get('/api/auth/profile', legacy)).status).toBe(200)
    expectProblem(await end(legacy, user), 'reauthentication_required')
    expect(await isLive(user)).toBe(true)
  })
})

test.each(['POST /api/auth/logout', 'DELETE /api/auth/sessions/{id}', 'DELETE /api/auth/sessions/{ID}'])(
  'a session of any age may end itself: %s',
  async (operation) => {
    const [user] = await twoSessions(MAX_AGE + 1)
    const [method, path = ''] = operation.split(' ')
    const url = path.replace('{id}', user.sessionId).replace('{ID}', user.sessionId.toUpperCase())
    const { status } = method === 'POST' ? await user.post(url) : await user.delete(url)
    expect(status).toBe(200)
    expect(await isLive(user)).toBe(false)
  },
)

test('who has to log in again does not learn which sessions there are', async () => {
  const [user, other] = await twoSessions(MAX_AGE + 1)
  const stranger = await app.newUser()
  for (const id of [other.sessionId, stranger.sessionId, NO_SESSION, 'none', '%00']) {
    expectProblem(await user.delete(`/api/auth/sessions/${id}`), 'reauthentication_required')
  }
})

describe('by default', () => {
  const lenient = useTestApp()

  test.each(ENDINGS)('an account ends %s from a session of any age', async (_, end) => {
    const [user, other] = await twoSessions(604_799, lenient)
    expect((await end(user.token, other, lenient)).status).toBe(200)
    expect(await isLive(other, lenient)).toBe(false)
  })
})
