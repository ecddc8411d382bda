import { expect, test } from 'vitest'
import { PASSWORD, PRESENT, useTestApp, type User } from '../support/test-app.js'

const app = useTestApp({ startAt: PRESENT })

const NEW_PASSWORD = 'N3w-horse!staple'

const change = (user: User, newPassword: unknown, currentPassword: unknown = user.password) =>
  user.post('/api/auth/password', { current_password: currentPassword, new_password: newPassword })

const logIn = (user: User, password: string) => app.post('/api/auth/login', { email: user.email, password })

async function readHash(user: User): Promise<string | undefined> {
  const [row] = await app.database.query<{ password_hash: string }>(
    'select password_hash from users where id = $1',
    [user.id],
  )
  return row?.password_hash
}

/** Refused, with the account and all of its sessions as they were. */
async function expectUnchanged(user: User, other: User, hash: string | undefined): Promise<void> {
  expect(await readHash(user)).toBe(hash)
  expect((await logIn(user, PASSWORD)).status).toBe(200)
  expect((await other.get('/api/auth/profile')).status).toBe(200)
  expect((await app.refresh(other.refreshToken)).status).toBe(200)
}

test('from then on only the new password opens a session', async () => {
  const user = await app.newUser()
  const hash = await readHash(user)
  const { status, body } = await change(user, NEW_PASSWORD)
  expect([status, body]).toEqual([200, { message: 'Password changed' }])
  expect(await readHash(user)).not.toBe(hash)
  const old = await logIn(user, PASSWORD)
  expect([old.status, old.body.code]).toEqual([401, 'invalid_credentials'])
  expect((await logIn(user, NEW_PASSWORD)).status).toBe(200)
})

test('all other sessions end with all of their tokens, and this one goes on', async () => {
  const user = await app.newUser()
  const [first, second, stranger] = [await app.login(user), await app.login(user), await app.newUser()]
  const { refresh_token: rotated, access_token: younger } = (await app.refresh(second.refreshToken)).body
  expect((await change(user, NEW_PASSWORD)).status).toBe(200)

  for (const token of [first.token, second.token, younger]) {
    const refused = await app.get('/api/auth/profile', token)
    expect([refused.status, refused.body.detail]).toEqual([401, 'Invalid token'])
  }
  for (const token of [first.refreshToken, second.refreshToken, rotated]) {
    expect((await app.refresh(token)).body.code).toBe('invalid_refresh_token')
  }
  expect((await user.get('/api/auth/profile')).status).toBe(200)
  expect((await app.refresh(user.refreshToken)).status).toBe(200)
  expect((await stranger.get('/api/auth/profile')).status).toBe(200)
})

test.each(['wrong', '', `${PASSWORD} `, '\ud800', '\u0000', 'x'.repeat(5_000)])(
  'with the wrong current password %j nothing happens',
  async (wrong) => {
    const user = await app.newUser()
    const other = await app.login(user)
    const hash = await readHash(user)
    const { status, body } = await change(user, NEW_PASSWORD, wrong)
    expect([status, body.code, body.detail]).toEqual([401, 'wrong_password', 'The current password is wrong'])
    await expectUnchanged(user, other, hash)
    expect((await logIn(user, NEW_PASSWORD)).status).toBe(401)
    expect(app.events('password_change_refused').at(-1)).toMatchObject({
      user_id: user.id,
      reason: 'wrong_password',
    })
  },
)

test.each([
  ['Sh0rt!', ['must have at least 8 characters']],
  ['NoDigitHere!', ['must contain at least one digit']],
  ['N0specialhere', ['must contain at least one special character']],
  ['short', expect.arrayContaining(['must have at least 8 characters', 'must contain at least one digit'])],
  [`1!${'x'.repeat(127)}`, ['must have at most 128 characters']],
  [PASSWORD, ['must differ from the current one']],
  ['N3w-horse!\ud800', ['contains characters that cannot be used']],
])('the new password %j is refused with every reason, under its field', async (password, messages) => {
  const user = await app.newUser()
  const other = await app.login(user)
  const hash = await readHash(user)
  const { status, body } = await change(user, password)
  expect([status, body.code]).toEqual([400, 'validation_failed'])
  expect(body.errors.map(({ message }: { message: string }) => message)).toEqual(messages)
  expect(new Set(body.errors.map(({ field }: { field: string }) => field))).toEqual(new Set(['new_password']))
  await expectUnchanged(user, other, hash)
})

test('the new password must not contain the name in the address', async () => {
  const user = await app.newUser({ email: 'grace.hopper@example.com' })
  const { body } = await change(user, '1!grace.hopper')
  expect(body.errors).toEqual([
    { field: 'new_password', message: 'must not contain the name in your email address' },
  ])
})

test.each([
  [{}, ['current_password', 'new_password']],
  [{ current_password: PASSWORD }, ['new_password']],
  [{ current_password: 1, new_password: null }, ['current_password', 'new_password']],
])('the body %j is invalid', async (sent, fields) => {
  const user = await app.newUser()
  const { status, body } = await user.post('/api/auth/password', sent)
  expect([status, body.code]).toEqual([400, 'validation_failed'])
  expect(body.errors.map(({ field }: { field: string }) => field).sort()).toEqual(fields)
})

test('without a session nobody can try current passwords', async () => {
  const user = await app.newUser()
  await user.post('/api/auth/logout')
  expect((await change(user, NEW_PASSWORD)).body.code).toBe('invalid_token')
  const anonymous = await app.post('/api/auth/password', {
    current_password: PASSWORD,
    new_password: NEW_PASSWORD,
  })
  expect(anonymous.body.code).toBe('not_authenticated')
  expect((await logIn(user, PASSWORD)).status).toBe(200)
})

test('of two changes at once from one password exactly one succeeds, and its session alone survives', async () => {
  const user = await app.newUser()
  const other = await app.login(user)
  const passwords = ['N3w-horse!one', 'N3w-horse!two']
  const replies = await Promise.all([change(user, passwords[0]), change(other, passwords[1])])
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200, 401]))
  const winner = replies[0].status === 200 ? 0 : 1
  const logins = await Promise.all(passwords.map((password) => logIn(user, password)))
  expect(logins.map(({ status }) => status === 200)).toEqual([winner === 0, winner === 1])
  const profiles = [await user.get('/api/auth/profile'), await other.get('/api/auth/profile')]
  expect(profiles.map(({ status }) => status === 200)).toEqual([winner === 0, winner === 1])
})

test('the log tells of it without any secret', async () => {
  const user = await app.newUser()
  await change(user, NEW_PASSWORD, 'Wr0ng-guess!')
  await change(user, NEW_PASSWORD)
  expect(app.events('password_changed').at(-1)).toEqual({
    level: 'info',
    time: expect.any(String),
    event: 'password_changed',
    request_id: expect.any(String),
    address: '127.0.0.1',
    user_id: user.id,
    session_id: user.sessionId,
  })
  const log = app.logLines.join('\n')
  const hash = await readHash(user)
  for (const secret of [PASSWORD, NEW_PASSWORD, 'Wr0ng-guess!', user.token, user.refreshToken, hash]) {
    expect(log).not.toContain(secret)
  }
})
