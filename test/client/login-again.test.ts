import { expect, test } from 'vitest'
import { PASSWORD } from '../support/test-app.js'
import { failureOf, type LoggedIn, useKeyward } from './keyward-client.js'

const MAX_AGE = 300
const keyward = useKeyward({ PRIVILEGED_SESSION_MAX_AGE: `${MAX_AGE}` })
const { app, gateway } = keyward

/** How many sessions the account has at Keyward, besides the one that asks. */
async function countSessions(email: string): Promise<number> {
  const asking = await app.login({ email, password: PASSWORD })
  const { body } = await asking.get('/api/auth/sessions')
  await asking.post('/api/auth/logout')
  return body.sessions.length - 1
}

const logInAgain = ({ client, email }: LoggedIn) => client.login({ email, password: PASSWORD })

test('logging in again ends the session that the client held', async () => {
  const user = await keyward.newUser()
  await logInAgain(user)
  expect(await countSessions(user.email)).toBe(1)
  expect(await user.client.readProfile()).toMatchObject({ id: user.id })
})

test('so does logging in or registering as somebody else', async () => {
  const [user, other] = [await keyward.newUser(), await keyward.newUser()]
  await user.client.login({ email: other.email, password: PASSWORD })
  expect([await countSessions(user.email), await countSessions(other.email)]).toEqual([0, 2])
  await user.client.register({ email: 'third@example.com', name: 'Third', password: PASSWORD })
  expect([await countSessions(other.email), await countSessions('third@example.com')]).toEqual([1, 1])
})

test('a refused log-in leaves the client with its session', async () => {
  const user = await keyward.newUser()
  const failure = await failureOf(user.client.login({ email: user.email, password: 'wrong' }))
  expect(failure).toMatchObject({ code: 'invalid_credentials' })
  expect(await user.client.readProfile()).toMatchObject({ id: user.id })
})

test('with an expired token it logs in all the same, and refreshes nothing', async () => {
  const user = await keyward.newUser()
  keyward.expireAccessTokens()
  expect(await logInAgain(user)).toMatchObject({ id: user.id })
  expect(gateway.operations).toEqual(['POST /api/auth/register', 'POST /api/auth/login'])
})

test('where Keyward wants the password first, logging in and calling again ends the other sessions', async () => {
  const user = await keyward.newUser()
  const { client, email, id } = user
  const other = keyward.newClient()
  await other.login({ email, password: PASSWORD })
  app.passSeconds(MAX_AGE + 1)
  await client.readProfile()
  gateway.forget()
  expect(await failureOf(client.logoutAll({ keep_current: true }))).toMatchObject({
    code: 'reauthentication_required',
    status: 403,
    message: 'This needs a more recent login',
  })
  expect(await client.user()).toMatchObject({ id })
  // Another token of the same session would not help.
  expect(gateway.operations).toEqual(['POST /api/auth/logout-all'])
  await logInAgain(user)
  await client.logoutAll({ keep_current: true })
  expect(await countSessions(email)).toBe(1)
  expect(await client.readProfile()).toMatchObject({ id })
})
