import { hash as bcryptHash } from '@node-rs/bcrypt'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Database } from '../../src/db/database.js'
import { PYTHON_USERS_TABLE, runScript } from '../support/python-users-table.js'
import { buildTestApp, PASSWORD, type TestApp, type User, useTestApp } from '../support/test-app.js'
import { expectProblem } from './expect-problem.js'
import { readHash, remove, writeHash } from './users-table.js'

const DAY = 86_400
const NEW_PASSWORD = 'N3w-horse!staple'

const app = useTestApp()

async function setPassword(user: User, password: string | null, on: TestApp = app) {
  return on.runUserCommand({ action: 'set-password', who: user.id, password })
}

/** An account whose password an operator has just had generated. */
async function newUserWithGenerated(on: TestApp = app): Promise<User> {
  const user = await on.newUser()
  return { ...user, password: (await setPassword(user, null, on)).generatedPassword! }
}

const logIn = ({ email, password }: Pick<User, 'email' | 'password'>, on: TestApp = app) =>
  on.post('/api/auth/login', { email, password })

const change = (session: User, currentPassword: string) =>
  session.post('/api/auth/password', { current_password: currentPassword, new_password: NEW_PASSWORD })

const expiriesOf = ({ id }: User, on: TestApp = app) =>
  on.database.query('select expires_at from keyward_generated_passwords where user_id = $1', [id])

/** As another service does that shares the table. */
const setElsewhere = async (user: User, password: string, on: TestApp = app) =>
  writeHash(on.database, user.id, await bcryptHash(password, 4))

describe('a generated password', () => {
  test('logs in for a day, and from then on is refused to the letter like a wrong one', async () => {
    const user = await newUserWithGenerated()
    app.passSeconds(DAY - 1)
    expect((await logIn(user)).status).toBe(200)
    app.passSeconds(1)
    const expired = await logIn(user)
    expectProblem(expired, 'invalid_credentials')
    const wrong = await logIn({ ...user, password: `${user.password}?` })
    expect({ ...expired.body, request_id: '' }).toEqual({ ...wrong.body, request_id: '' })
    expect(app.events('login_failed').at(-2)).toMatchObject({ user_id: user.id, reason: 'password_expired' })
  })

  test('leaves the sessions alone that it has opened, when it expires', async () => {
    const user = await newUserWithGenerated()
    const session = await app.login(user)
    app.passSeconds(DAY)
    expect((await session.get('/api/auth/profile')).status).toBe(200)
    expect((await app.refresh(session.refreshToken)).status).toBe(200)
  })

  test('that its owner changes in time is gone, and the new one does not expire', async () => {
    const user = await newUserWithGenerated()
    const session = await app.login(user)
    expect((await change(session, user.password)).status).toBe(200)
    expectProblem(await logIn(user), 'invalid_credentials')
    expect(await expiriesOf(user)).toEqual([])
    app.passSeconds(DAY)
    expect((await logIn({ ...user, password: NEW_PASSWORD })).status).toBe(200)
  })

  test('can no longer be changed once it has expired: it counts as a wrong current password', async () => {
    const user = await newUserWithGenerated()
    const session = await app.login(user)
    app.passSeconds(DAY)
    expectProblem(await change(session, user.password), 'wrong_password')
    expect(app.events('password_change_refused').at(-1)).toMatchObject({
      user_id: user.id,
      reason: 'password_expired',
    })
    expectProblem(await logIn({ ...user, password: NEW_PASSWORD }), 'invalid_credentials')
  })

  test('that follows another one has a day of its own', async () => {
    const first = await newUserWithGenerated()
    app.passSeconds(DAY - 1)
    const second = { ...first, password: (await setPassword(first, null)).generatedPassword! }
    app.passSeconds(DAY - 1)
    expect((await logIn(second)).status).toBe(200)
    app.passSeconds(1)
    expectProblem(await logIn(second), 'invalid_credentials')
  })

  test('gives way to one that the operator chooses, which does not expire', async () => {
    const user = await newUserWithGenerated()
    await setPassword(user, NEW_PASSWORD)
    expect(await expiriesOf(user)).toEqual([])
    app.passSeconds(DAY)
    expect((await logIn({ ...user, password: NEW_PASSWORD })).status).toBe(200)
  })

  test('gives way to one that another service writes into the table, which does not expire', async () => {
    const user = await newUserWithGenerated()
    await setElsewhere(user, NEW_PASSWORD)
    app.passSeconds(DAY)
    expect((await logIn({ ...user, password: NEW_PASSWORD })).status).toBe(200)
    expectProblem(await logIn(user), 'invalid_credentials')
  })

  test('leaves nothing behind when its account is deleted', async () => {
    const user = await newUserWithGenerated()
    expect(await expiriesOf(user)).toHaveLength(1)
    await remove(app.database, user.id)
    expect(await expiriesOf(user)).toEqual([])
  })

  test('is told to the operator with its expiry, and so is whoever still has one', async () => {
    const user = await app.newUser()
    const before = Date.parse((await user.get('/api/auth/profile')).body.created_at)
    const report = await setPassword(user, null)
    const expiresAt = new Date(before + DAY * 1000)
    expect(report).toMatchObject({
      message:
        `The password of ${user.email} is set; all sessions ended. ` +
        `It expires at ${expiresAt.toISOString()} unless its owner changes it.`,
      users: [{ passwordExpiresAt: expiresAt }],
    })
    const passwordExpiresAt = async () =>
      (await app.runUserCommand({ action: 'show', who: user.email, password: null })).users[0]!
        .passwordExpiresAt
    expect(await passwordExpiresAt()).toEqual(expiresAt)
    await setElsewhere(user, NEW_PASSWORD)
    expect(await passwordExpiresAt()).toBeNull()
  })
})

/** A table of another stack, with columns of its own that have the names of Keyward's. */
async function prepareAdopted(database: Database): Promise<void> {
  await runScript(
    database,
    `${PYTHON_USERS_TABLE}
     alter table users alter password_hash type varchar collate "POSIX";
     alter table users add expires_at timestamptz, add user_id uuid, add generated_hash text`,
  )
}

describe.each([
  ["Keyward's own table", {}],
  ['an adopted table', { prepare: prepareAdopted }],
])('when a log-in renews the hash, on %s,', (_, options) => {
  const own = useTestApp(options)

  /** The same service after its setting for new hashes has changed. */
  async function restartWithArgon2id(): Promise<TestApp> {
    const restarted = await buildTestApp(own.database, { environment: { PASSWORD_HASH: 'argon2id' } })
    onTestFinished(() => restarted.server.close())
    return restarted
  }

  test('a generated password expires all the same', async () => {
    const user = await newUserWithGenerated(own)
    const restarted = await restartWithArgon2id()
    expect((await logIn(user, restarted)).status).toBe(200)
    expect(await readHash(own.database, user.id)).toContain('$argon2id$')
    expect((await logIn(user, restarted)).status).toBe(200)
    restarted.passSeconds(DAY)
    expectProblem(await logIn(user, restarted), 'invalid_credentials')
  })

  test('one that another service has set in its place does not begin to expire', async () => {
    const user = await newUserWithGenerated(own)
    await setElsewhere(user, NEW_PASSWORD, own)
    const restarted = await restartWithArgon2id()
    const chosen = { ...user, password: NEW_PASSWORD }
    expect((await logIn(chosen, restarted)).status).toBe(200)
    expect(await readHash(own.database, user.id)).toContain('$argon2id$')
    restarted.passSeconds(DAY)
    expect((await logIn(chosen, restarted)).status).toBe(200)
  })
})

describe('under GENERATED_PASSWORD_TTL', () => {
  const hasty = useTestApp({ environment: { GENERATED_PASSWORD_TTL: '600' } })

  test('a generated password expires after so many seconds, and a chosen one never', async () => {
    const [user, other] = [await newUserWithGenerated(hasty), await hasty.newUser()]
    hasty.passSeconds(599)
    expect((await logIn(user, hasty)).status).toBe(200)
    hasty.passSeconds(1)
    expectProblem(await logIn(user, hasty), 'invalid_credentials')
    expect((await logIn({ ...other, password: PASSWORD }, hasty)).status).toBe(200)
  })
})

describe('where attempts are limited', () => {
  const limited = useTestApp({ environment: { RATE_LIMIT: 'on' } })

  test('an expired password counts as a failed attempt, and makes no place known', async () => {
    const user = await newUserWithGenerated(limited)
    limited.passSeconds(DAY)
    const from = (remoteAddress: string, password: string) =>
      limited.send({
        method: 'POST',
        url: '/api/auth/login',
        payload: { email: user.email, password },
        remoteAddress,
      })
    const [thief, stranger] = ['203.0.113.7', '203.0.113.8']
    for (let i = 0; i < 5; i++) expectProblem(await from(thief, user.password), 'invalid_credentials')
    expectProblem(await from(thief, user.password), 'too_many_attempts')
    // The account's own count goes on where that of the first place has stopped.
    for (let i = 0; i < 5; i++) expectProblem(await from(stranger, 'Wr0ng-guess!'), 'invalid_credentials')
    expectProblem(await from('203.0.113.9', 'Wr0ng-guess!'), 'too_many_attempts')
  })
})
