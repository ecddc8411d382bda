import { describe, expect, test } from 'vitest'
import { PASSWORD, type Reply, useTestApp } from '../support/test-app.js'
import { expectProblem } from './expect-problem.js'
import { disable } from './users-table.js'

const app = useTestApp()

const login = (email: unknown, password: unknown) => app.post('/api/auth/login', { email, password })

test('the right password opens a session of its own each time', async () => {
  const user = await app.newUser()
  const first = await login(user.email, PASSWORD)
  const second = await login(user.email, PASSWORD)
  for (const { status, body } of [first, second]) {
    expect(status).toBe(200)
    expect(body).toStrictEqual({
      access_token: expect.any(String),
      token_type: 'bearer',
      expires_in: 604_800,
      refresh_token: expect.any(String),
      user: (await user.get('/api/auth/profile')).body,
    })
    expect((await app.get('/api/auth/profile', body.access_token)).status).toBe(200)
  }
  expect(first.body.access_token).not.toBe(second.body.access_token)
})

test.for([
  ['plain@example.com', '\n PLAIN@Example.COM '],
  ['person@münchen.example', 'Person@XN--MNCHEN-3YA.example'],
  ['xn@xn--mnchen-3ya.example', 'xn@MÜNCHEN.example'],
])('the address may be spelled in another way: %j', async ([registered, spelled]) => {
  const { id } = await app.newUser({ email: registered! })
  const { status, body } = await login(spelled, PASSWORD)
  expect(status).toBe(200)
  expect(body.user.id).toBe(id)
})

describe('a refused login', () => {
  /** All that a client gets, without what differs between any two answers. */
  const visible = ({ status, headers, text, body }: Reply) => ({
    status,
    headers: { ...headers, 'x-request-id': undefined, date: undefined },
    text: text.replace(body.request_id, ''),
  })

  test('looks the same for an unknown address and for a wrong password', async () => {
    const { email } = await app.newUser()
    const wrongPassword = await login(email, 'wr0ng-Password!')
    const unknownEmail = await login('nobody@example.com', 'wr0ng-Password!')
    expectProblem(wrongPassword, 'invalid_credentials')
    expect(wrongPassword.body.detail).toBe('Invalid email or password')
    expect(visible(unknownEmail)).toStrictEqual(visible(wrongPassword))
  })

  test('looks the same for a disabled account while the password is wrong', async () => {
    const user = await app.newUser()
    await disable(app.database, user.id)
    const reply = await login(user.email, 'wr0ng-Password!')
    expect(visible(reply)).toStrictEqual(visible(await login('nobody@example.com', PASSWORD)))
  })

  test('tells of a disabled account only to the right password', async () => {
    const user = await app.newUser()
    await disable(app.database, user.id)
    expectProblem(await login(user.email, PASSWORD), 'account_disabled')
  })

  test.for(['', ' ', 'x', PASSWORD.toLowerCase(), ` ${PASSWORD}`, `${PASSWORD} `, 'x'.repeat(15_000)])(
    'is never about the password policy: %j',
    async (password) => {
      const { email } = await app.newUser()
      expectProblem(await login(email, password), 'invalid_credentials')
    },
  )

  test('does not take one Unicode form of a password for another', async () => {
    const { email } = await app.newUser({ password: 'caf\u00E9-1791' })
    expectProblem(await login(email, 'cafe\u0301-1791'), 'invalid_credentials')
    expect((await login(email, 'caf\u00E9-1791')).status).toBe(200)
  })

  test.for(['', 'nobody', 'nobody@localhost', 'a b@example.com', `${'x'.repeat(65)}@example.com`])(
    'names an ill-formed address: %j',
    async (email) => {
      expectProblem(await login(email, PASSWORD), 'validation_failed', [
        { field: 'email', message: 'is not a valid email address' },
      ])
    },
  )

  test('names missing fields', async () => {
    expectProblem(await app.post('/api/auth/login', {}), 'validation_failed', [
      { field: 'email', message: 'is required' },
      { field: 'password', message: 'is required' },
    ])
  })

  test.for(["' or '1'='1", "' or 1=1 --@example.com", "a'/**/or/**/1=1--@example.com"])(
    'is not talked round by SQL: %j',
    async (text) => {
      const { email } = await app.newUser()
      expect((await login(text, PASSWORD)).status).not.toBe(200)
      expectProblem(await login(email, text), 'invalid_credentials')
    },
  )
})
