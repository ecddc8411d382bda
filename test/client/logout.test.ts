import { expect, test } from 'vitest'
import { createGate, holdNext } from '../support/gateway.js'
import { PASSWORD } from '../support/test-app.js'
import { failureOf, type LoggedIn, useKeyward } from './keyward-client.js'

const keyward = useKeyward()
const { app, gateway } = keyward
const LOGOUT = 'POST /api/auth/logout'
const REFRESH = 'POST /api/auth/refresh'

/** How many sessions the account has at Keyward, besides the one that asks. */
async function countSessions({ email }: LoggedIn): Promise<number> {
  const asking = await app.login({ email, password: PASSWORD })
  const { body } = await asking.get('/api/auth/sessions')
  await asking.post('/api/auth/logout')
  return body.sessions.length - 1
}

test('ends the session at Keyward and forgets the tokens', async () => {
  const user = await keyward.newUser()
  expect(await countSessions(user)).toBe(1)
  await user.client.logout()
  expect(await countSessions(user)).toBe(0)
  expect(user.storage.entries.size).toBe(0)
})

test('forgets the tokens before Keyward answers', async () => {
  const { client, storage } = await keyward.newUser()
  const held = holdNext(gateway, LOGOUT)
  const logout = client.logout()
  await held.arrived
  expect(storage.entries.size).toBe(0)
  held.open()
  await logout
})

test('when Keyward cannot be reached, forgets the tokens all the same and says that it was not told', async () => {
  const { client, storage } = await keyward.newUser()
  gateway.onNext(LOGOUT, async () => null)
  expect(await failureOf(client.logout())).toMatchObject({ code: 'network_error' })
  expect(storage.entries.size).toBe(0)
  expect(await client.user()).toBeNull()
})

test('with an expired access token it still ends the session', async () => {
  const user = await keyward.newUser()
  keyward.expireAccessTokens()
  await user.client.logout()
  expect(await countSessions(user)).toBe(0)
  expect(user.storage.entries.size).toBe(0)
})

test('of a session that is over already it succeeds', async () => {
  const { client, id } = await keyward.newUser()
  await app.runUserCommand({ action: 'logout', who: id, password: null })
  await client.logout()
  expect(await client.user()).toBeNull()
})

test.each([
  ['before it reaches Keyward', false],
  ['after Keyward has done it', true],
])('while a refresh is held up %s, it ends the session', async (_when, isDone) => {
  const user = await keyward.newUser()
  keyward.expireAccessTokens()
  const gate = createGate()
  gateway.onNext(REFRESH, async (forward) => {
    const reply = isDone ? await forward() : null
    await gate.pass()
    return reply ?? forward()
  })
  const call = failureOf(user.client.readProfile())
  await gate.arrived
  await user.client.logout()
  gate.open()
  expect(await call).toMatchObject({ code: 'token_expired' })
  expect(await countSessions(user)).toBe(0)
  expect(user.storage.entries.size).toBe(0)
})

test('logging out everywhere is not believed before Keyward has confirmed it', async () => {
  const { client, id } = await keyward.newUser()
  gateway.onNext('POST /api/auth/logout-all', async () => null)
  expect(await failureOf(client.logoutAll())).toMatchObject({ code: 'network_error' })
  expect(await client.user()).toMatchObject({ id })
})

test('in one tab it is the end in every other', async () => {
  const { client, storage, id } = await keyward.newUser()
  const other = keyward.newClient({ storage })
  const seen: unknown[] = []
  other.onChange((user) => seen.push(user?.id ?? null))
  expect(await other.user()).toMatchObject({ id })
  await client.logout()
  expect(await failureOf(other.readProfile())).toMatchObject({ code: 'not_authenticated' })
  expect(seen).toEqual([id, null])
})
