import { expect, test } from 'vitest'
import { createClient, KeywardError } from '../../src/client/index.js'
import { PASSWORD } from '../support/test-app.js'
import { failureOf, useKeyward } from './keyward-client.js'

const keyward = useKeyward()
const { gateway } = keyward
const NEW_PASSWORD = 'N3w-horse!battery'

test('registers, reads and changes the profile, logs out and in again', async () => {
  const client = keyward.newClient()
  const ada = { email: 'Ada@Example.com', name: 'Ada', password: PASSWORD }
  const user = await client.register(ada)
  expect(user).toMatchObject({ email: 'ada@example.com', name: 'Ada', is_active: true })
  expect(await client.user()).toEqual(user)
  expect(await client.readProfile()).toEqual(user)
  expect(await client.updateProfile({ name: 'Augusta' })).toMatchObject({ id: user.id, name: 'Augusta' })
  expect(await client.user()).toMatchObject({ name: 'Augusta' })
  await client.logout()
  expect(await client.user()).toBeNull()
  expect(await client.login(ada)).toMatchObject({ id: user.id, name: 'Augusta' })
})

test('lists the sessions and ends another one', async () => {
  const { client, email } = await keyward.newUser()
  const other = keyward.newClient()
  await other.login({ email, password: PASSWORD })
  const sessions = await client.listSessions()
  expect(sessions).toHaveLength(2)
  expect(sessions.filter(({ current }) => current)).toHaveLength(1)
  await client.endSession(sessions.find(({ current }) => !current)?.id ?? '')
  expect(await client.listSessions()).toHaveLength(1)
  expect(await failureOf(other.readProfile())).toMatchObject({ code: 'invalid_token' })
  expect(await other.user()).toBeNull()
})

test('changes the password, which ends the other sessions and not this one', async () => {
  const { client, email } = await keyward.newUser()
  const other = keyward.newClient()
  await other.login({ email, password: PASSWORD })
  await client.changePassword({ current_password: PASSWORD, new_password: NEW_PASSWORD })
  expect(await client.readProfile()).toMatchObject({ email })
  expect(await failureOf(other.readProfile())).toMatchObject({ code: 'invalid_token' })
  await other.login({ email, password: NEW_PASSWORD })
})

test('a wrong current password is told as such, and costs no refresh', async () => {
  const { client } = await keyward.newUser()
  const change = client.changePassword({ current_password: 'wrong', new_password: NEW_PASSWORD })
  expect(await failureOf(change)).toMatchObject({ code: 'wrong_password', status: 401 })
  expect(gateway.count('POST /api/auth/refresh')).toBe(0)
})

test('logging out everywhere ends this session too, unless it is to be kept', async () => {
  const { client, email } = await keyward.newUser()
  const other = keyward.newClient()
  await other.login({ email, password: PASSWORD })
  await client.logoutAll({ keep_current: true })
  expect(await client.readProfile()).toMatchObject({ email })
  expect(await failureOf(other.readProfile())).toMatchObject({ code: 'invalid_token' })
  await client.logoutAll()
  expect(await client.user()).toBeNull()
})

test('a refusal is a KeywardError with the code, the status and the number of the request', async () => {
  const failure = await failureOf(
    keyward.newClient().login({ email: 'nobody@example.com', password: PASSWORD }),
  )
  expect(failure).toBeInstanceOf(KeywardError)
  expect(failure).toMatchObject({
    name: 'KeywardError',
    message: 'Invalid email or password',
    code: 'invalid_credentials',
    status: 401,
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
  })
})

test('invalid fields are listed', async () => {
  const failure = await failureOf(keyward.newClient().register({ email: 'ada', name: '', password: 'short' }))
  expect(failure).toMatchObject({ code: 'validation_failed', status: 400 })
  const fields = (failure as KeywardError).errors.map(({ field }) => field)
  expect(new Set(fields)).toEqual(new Set(['email', 'name', 'password']))
})

test('a busy server says when to come back', async () => {
  const { client, storage } = await keyward.newUser()
  const before = new Map(storage.entries)
  gateway.onNext('GET /api/auth/profile', async () => ({
    status: 503,
    headers: { 'content-type': 'application/problem+json', 'retry-after': '7' },
    body: JSON.stringify({ code: 'overloaded', status: 503, request_id: 'r-1' }),
  }))
  expect(await failureOf(client.readProfile())).toMatchObject({
    code: 'overloaded',
    status: 503,
    retryAfterSeconds: 7,
    requestId: 'r-1',
  })
  expect(storage.entries).toEqual(before)
})

test.each([
  ['a page', { status: 200, headers: { 'content-type': 'text/html' }, body: '<h1>Hotel Wi-Fi</h1>' }],
  ['JSON without tokens', { status: 200, body: '{"message":"welcome"}' }],
  ['nothing', { status: 204 }],
  ['a gateway’s error', { status: 502, body: '<h1>Bad gateway</h1>' }],
  ['a problem with an unknown code', { status: 418, body: '{"code":"teapot"}' }],
  ['a problem named like a property of every object', { status: 400, body: '{"code":"constructor"}' }],
])('%s instead of a session is an unexpected reply', async (_what, reply) => {
  const client = keyward.newClient()
  gateway.onNext('POST /api/auth/login', async () => reply)
  const failure = await failureOf(client.login({ email: 'a@example.com', password: PASSWORD }))
  expect(failure).toMatchObject({ code: 'unexpected_reply', status: reply.status })
  expect(await client.user()).toBeNull()
})

test('a server that cannot be reached is a network error', async () => {
  gateway.onNext('POST /api/auth/login', async () => null)
  const failure = await failureOf(keyward.newClient().login({ email: 'a@example.com', password: PASSWORD }))
  expect(failure).toMatchObject({ code: 'network_error', status: undefined })
})

test('an aborted call rejects with the reason of its signal', async () => {
  const { client } = await keyward.newUser()
  const controller = new AbortController()
  gateway.onNext('GET /api/auth/profile', async (forward) => {
    controller.abort(new Error('the page was left'))
    return forward()
  })
  const failure = await failureOf(client.readProfile({ signal: controller.signal }))
  expect(failure).toEqual(new Error('the page was left'))
})

test('without a session nothing is sent', async () => {
  const client = keyward.newClient()
  expect(await failureOf(client.readProfile())).toMatchObject({ code: 'not_authenticated', status: 401 })
  await client.logout()
  expect(gateway.operations).toEqual([])
})

test('a password does not follow a redirect', async () => {
  gateway.onNext('POST /api/auth/login', async () => ({ status: 307, headers: { location: '/elsewhere' } }))
  const failure = await failureOf(keyward.newClient().login({ email: 'a@example.com', password: PASSWORD }))
  expect(failure).toMatchObject({ code: 'network_error' })
  expect(gateway.operations).toEqual(['POST /api/auth/login'])
})

test('an id cannot lead to another address', async () => {
  const { client } = await keyward.newUser()
  await failureOf(client.endSession('../profile?x='))
  expect(gateway.operations).toContain('DELETE /api/auth/sessions/..%2Fprofile%3Fx%3D')
})

test.each(['auth.example.com', '', '/keyward'])('an url that is not absolute is a mistake: %j', (url) => {
  expect(() => createClient({ url })).toThrow(TypeError)
})
