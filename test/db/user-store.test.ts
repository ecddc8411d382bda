import { describe, expect, test } from 'vitest'
import { runUserCommand, type UserAction, type UserReport } from '../../src/operators/commands.js'
import { createUserStore } from '../../src/operators/sql.js'
import { PASSWORD, PRESENT, type TestApp, type User, useTestApp } from '../support/test-app.js'

const app = useTestApp({ startAt: PRESENT })

const NO_USER = '6f1c1d0e-3c1f-4b6e-9a54-0d6a3f1f2b77'
const NEW_PASSWORD = 'N3w-horse!staple'

const run = (action: UserAction, who: string | null, password: string | null = null): Promise<UserReport> =>
  app.runUserCommand({ action, who, password })

async function expectEnded(...users: User[]): Promise<void> {
  for (const user of users) {
    expect((await user.get('/api/auth/sessions')).body.code).toBe('invalid_token')
    expect((await app.refresh(user.refreshToken)).body.code).toBe('invalid_refresh_token')
  }
}

const logIn = (on: TestApp, { email }: User, password: string) =>
  on.post('/api/auth/login', { email, password })

test('of two accounts under two spellings of one address an operator gets the one that was named', async () => {
  const insert = (email: string) =>
    app.database.query(
      `insert into users (id, email, name, password_hash) values (gen_random_uuid(), $1, 'Twin', 'none')`,
      [email],
    )
  await insert('zwilling@bücher.example')
  await insert('zwilling@xn--bcher-kva.example')
  const report = await app.runUserCommand({
    action: 'show',
    who: 'Zwilling@xn--bcher-kva.example',
    password: null,
  })
  expect(report.users.map(({ email }) => email)).toEqual(['zwilling@xn--bcher-kva.example'])
})

test('an operator finds a user by id and by every spelling of the address', async () => {
  const user = await app.newUser({ email: 'ada@exämple.com', name: 'Ada Lovelace' })
  await app.login(user)
  const spellings = [user.id, user.id.toUpperCase(), 'ada@exämple.com', 'ADA@xn--exmple-cua.com']
  for (const who of spellings) {
    expect(await run('show', who)).toEqual({
      users: [
        {
          id: user.id,
          email: 'ada@xn--exmple-cua.com',
          name: 'Ada Lovelace',
          isActive: true,
          createdAt: expect.any(Date),
          updatedAt: expect.any(Date),
          liveSessions: 2,
          passwordExpiresAt: null,
        },
      ],
      message: null,
      generatedPassword: null,
    })
  }
})

test('only live sessions are counted', async () => {
  const user = await app.newUser()
  const [ended, expired] = [await app.login(user), await app.login(user)]
  await ended.post('/api/auth/logout')
  await app.database.query(
    "update keyward_sessions set expires_at = now(), access_expires_at = now() - interval '1 s' where id = $1",
    [expired.sessionId],
  )
  expect((await run('show', user.id)).users[0]?.liveSessions).toBe(1)
})

test('the list has every user once, oldest first, also in pages', async () => {
  const added = [await app.newUser()]
  for (let i = 0; i < 6; i++) added.push(await app.newUser())
  const { users } = await run('list', null)
  const ids = users.map(({ id }) => id)
  expect(ids).toEqual(expect.arrayContaining(added.map(({ id }) => id)))
  expect(new Set(ids).size).toBe(ids.length)
  const times = users.map(({ createdAt }) => createdAt.getTime())
  expect(times).toEqual(times.toSorted((a, b) => a - b))

  const store = createUserStore(app.database)
  const paged: string[] = []
  for (;;) {
    const page = await store.list({ afterId: paged.at(-1) ?? null, limit: 2 })
    expect(page.length).toBeLessThanOrEqual(2)
    paged.push(...page.map(({ id }) => id))
    if (page.length < 2) break
  }
  expect(paged.toSorted()).toEqual(ids.toSorted())
})

test('disabling ends all sessions here at once and lets nobody in until enabled', async () => {
  const [user, stranger] = [await app.newUser(), await app.newUser()]
  const other = await app.login(user)
  const report = await run('disable', user.email)
  expect(report).toMatchObject({
    message: `${user.email} is disabled.`,
    users: [{ id: user.id, isActive: false, liveSessions: 0 }],
  })
  await expectEnded(user, other)
  expect((await logIn(app, user, PASSWORD)).body.code).toBe('account_disabled')
  expect((await stranger.get('/api/auth/profile')).status).toBe(200)

  expect(await run('enable', user.email)).toMatchObject({
    message: `${user.email} is enabled.`,
    users: [{ id: user.id, isActive: true, liveSessions: 0 }],
  })
  await expectEnded(user, other)
  expect((await logIn(app, user, PASSWORD)).status).toBe(200)
})

test('deleting ends all sessions and frees the address', async () => {
  const user = await app.newUser()
  const other = await app.login(user)
  expect(await run('delete', user.id)).toEqual({
    users: [],
    message: `${user.email} is deleted.`,
    generatedPassword: null,
  })
  await expectEnded(user, other)
  expect((await logIn(app, user, PASSWORD)).body.code).toBe('invalid_credentials')
  const successor = await app.newUser({ email: user.email })
  expect(successor.id).not.toBe(user.id)
  await expectEnded(user)
})

test('logging somebody out ends all sessions and says how many', async () => {
  const user = await app.newUser()
  const other = await app.login(user)
  expect((await run('logout', user.email)).message).toBe(`2 session(s) of ${user.email} ended.`)
  await expectEnded(user, other)
  expect((await run('logout', user.email)).message).toBe(`0 session(s) of ${user.email} ended.`)
  expect((await logIn(app, user, PASSWORD)).status).toBe(200)
})

test('setting a password ends all sessions, and only the new one logs in', async () => {
  const user = await app.newUser()
  const report = await run('set-password', user.email, NEW_PASSWORD)
  expect(report).toMatchObject({
    message: `The password of ${user.email} is set; all sessions ended.`,
    generatedPassword: null,
    users: [{ liveSessions: 0 }],
  })
  await expectEnded(user)
  expect((await logIn(app, user, PASSWORD)).status).toBe(401)
  expect((await logIn(app, user, NEW_PASSWORD)).status).toBe(200)
})

test.each([
  ['short1!', 'The password must have at least 8 characters.'],
  [
    'longenough',
    'The password must contain at least one digit; it must contain at least one special character.',
  ],
  ['', expect.stringContaining('must have at least 8 characters')],
])('the password %j is refused in words, and nothing changes', async (password, message) => {
  const user = await app.newUser()
  const refused = await run('set-password', user.id, password).catch((error: Error) => error.message)
  expect(refused).toEqual(message)
  expect((await user.get('/api/auth/profile')).status).toBe(200)
  expect((await logIn(app, user, PASSWORD)).status).toBe(200)
})

const NEEDS_USER = ['show', 'disable', 'enable', 'delete', 'set-password', 'logout', 'unlock'] as const

test.each(NEEDS_USER)('%s says what is wrong with whom it is asked for', async (action) => {
  await expect(run(action, null)).rejects.toThrow('Say whom: an id or an e-mail address.')
  await expect(run(action, '')).rejects.toThrow('That is neither an id nor an e-mail address.')
  await expect(run(action, NO_USER)).rejects.toThrow('There is no such user.')
})

test.each(['ada', NEW_PASSWORD, 'p4ss@word.example'])(
  'what stands in place of the user may be a password, and is not repeated: %s',
  async (who) => {
    const refused = await run('show', who).catch((error: Error) => error.message)
    expect(refused).toMatch(/^(That is neither an id nor an e-mail address|There is no such user)\.$/)
  },
)

test.each(['disable', 'enable', 'delete', 'set-password'] as const)(
  '%s says so when the user vanishes meanwhile',
  async (action) => {
    const user = await app.newUser()
    const users = createUserStore(app.database)
    const dependencies = {
      users: {
        ...users,
        async find(by: Parameters<typeof users.find>[0]) {
          const found = await users.find(by)
          await users.delete(user.id)
          return found
        },
      },
      hasher: { hash: async () => 'hash', verify: async () => ({ matches: false, outdated: false }) },
      forgetAttempts: async () => false,
      passwordPolicy: () => [],
      generatedPasswordTtlSeconds: 60,
      clock: Date.now,
    }
    await expect(
      runUserCommand(dependencies, { action, who: user.id, password: NEW_PASSWORD }),
    ).rejects.toThrow('The user is gone meanwhile.')
  },
)

describe.each(['composition', 'nist'] as const)('under the policy %s', (policy) => {
  const strict = useTestApp({ startAt: PRESENT, environment: { PASSWORD_POLICY: policy } })

  test('a generated password is accepted, is never the same, and logs in', async () => {
    const user = await strict.newUser()
    const passwords = new Set<string>()
    for (let i = 0; i < 5; i++) {
      const report = await strict.runUserCommand({ action: 'set-password', who: user.id, password: null })
      passwords.add(report.generatedPassword ?? '')
    }
    expect(passwords.size).toBe(5)
    const statuses = []
    for (const password of passwords) {
      expect(password.length).toBeGreaterThanOrEqual(20)
      statuses.push((await logIn(strict, user, password)).status)
    }
    expect(statuses).toEqual([401, 401, 401, 401, 200])
    const log = strict.logLines.join('\n')
    for (const password of passwords) expect(log).not.toContain(password)
  })

  test('what a person may not choose, an operator may not either', async () => {
    const user = await strict.newUser()
    const setting = strict.runUserCommand({ action: 'set-password', who: user.id, password: 'N0-good' })
    await expect(setting).rejects.toThrow('must have at least')
  })
})
