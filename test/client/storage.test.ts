import { setImmediate } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { ClientStorage } from '../../src/client/index.js'
import { createGate } from '../support/gateway.js'
import { PASSWORD } from '../support/test-app.js'
import { createMapStorage, useKeyward } from './keyward-client.js'

const keyward = useKeyward()
const { app, gateway } = keyward

const full = (): never => {
  throw new DOMException('The quota has been exceeded.', 'QuotaExceededError')
}

test('without a storage the session is this client’s alone', async () => {
  const { client, id } = await keyward.newUser({ storage: undefined })
  expect(await client.user()).toMatchObject({ id })
  expect(await keyward.newClient().user()).toBeNull()
})

test('an asynchronous storage serves as well', async () => {
  const { entries, ...map } = createMapStorage()
  const slow: ClientStorage = {
    getItem: async (key) => (await setImmediate(), map.getItem(key)),
    setItem: async (key, value) => (await setImmediate(), map.setItem(key, value)),
    removeItem: async (key) => (await setImmediate(), map.removeItem(key)),
  }
  const { client, id } = await keyward.newUser({ storage: slow })
  keyward.expireAccessTokens()
  const users = await Promise.all(Array.from({ length: 5 }, () => client.readProfile()))
  expect(users.map((user) => user.id)).toEqual(Array(5).fill(id))
  expect(gateway.count('POST /api/auth/refresh')).toBe(1)
  expect(await keyward.newClient({ storage: slow }).user()).toMatchObject({ id })
  await client.logout()
  expect(entries.size).toBe(0)
})

test('a log-out stands although a slow storage is still writing the tokens of a refresh', async () => {
  const storage = createMapStorage()
  const { client } = await keyward.newUser({ storage })
  keyward.expireAccessTokens()
  const gate = createGate()
  const { setItem } = storage
  storage.setItem = async (key, value) => {
    await gate.pass()
    setItem(key, value)
  }
  const call = client.readProfile()
  await gate.arrived
  const logout = client.logout()
  // By the end of another request, a log-out that did not wait for its turn would be done.
  await app.get('/health/live')
  gate.open()
  await Promise.allSettled([call, logout])
  expect(storage.entries.size).toBe(0)
  expect(await client.user()).toBeNull()
})

test.each<[string, ClientStorage]>([
  ['throws', { getItem: full, setItem: full, removeItem: full }],
  [
    'rejects',
    {
      getItem: () => Promise.reject(new Error('closed')),
      setItem: () => Promise.reject(new Error('closed')),
      removeItem: () => Promise.reject(new Error('closed')),
    },
  ],
])('with a storage that always %s the session lives in memory', async (_how, storage) => {
  const { client, id } = await keyward.newUser({ storage })
  keyward.expireAccessTokens()
  expect(await client.readProfile()).toMatchObject({ id })
  app.passSeconds(3_600)
  expect(await client.readProfile()).toMatchObject({ id })
  await client.logout()
  expect(await client.user()).toBeNull()
})

test('a storage that never answers holds nobody up: the session lives in memory', async () => {
  const never = () => new Promise<never>(() => {})
  // Every patience is over at once.
  vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort())
  onTestFinished(() => void vi.restoreAllMocks())
  const { client, id } = await keyward.newUser({
    storage: { getItem: never, setItem: never, removeItem: never },
  })
  expect(await client.readProfile()).toMatchObject({ id })
  await client.logout()
  expect(await client.user()).toBeNull()
})

test('a storage that gets full keeps no spent token, and the session goes on in memory', async () => {
  const storage = createMapStorage()
  const { client, id } = await keyward.newUser({ storage })
  storage.setItem = full
  keyward.expireAccessTokens()
  await client.readProfile()
  expect(storage.entries.size).toBe(0)
  app.passSeconds(3_600)
  expect(await client.readProfile()).toMatchObject({ id })
})

test('after a log-out, a storage that has room again is used again', async () => {
  const storage = createMapStorage()
  const { setItem } = storage
  storage.setItem = full
  const { client, email, id } = await keyward.newUser({ storage })
  storage.setItem = setItem
  await client.logout()
  await client.login({ email, password: PASSWORD })
  expect(await keyward.newClient({ storage }).user()).toMatchObject({ id })
})

test.each([
  '',
  'x',
  'null',
  '[]',
  '7',
  '{}',
  '{"access_token":1}',
  '{"access_token":"a","refresh_token":"b"}',
])('a damaged entry is no session, and no obstacle to one: %j', async (text) => {
  const { client, storage, email, id } = await keyward.newUser()
  for (const key of storage.entries.keys()) storage.setItem(key, text)
  expect(await client.user()).toBeNull()
  await client.login({ email, password: PASSWORD })
  expect(await client.user()).toMatchObject({ id })
})

test('made-up tokens in the storage are no session once Keyward has seen them', async () => {
  const { client, storage, id } = await keyward.newUser()
  const text = JSON.stringify({ access_token: 'a.b.c', refresh_token: 'x', user: { id } })
  for (const key of storage.entries.keys()) storage.setItem(key, text)
  await expect(client.readProfile()).rejects.toMatchObject({ code: 'invalid_token' })
  expect(await client.user()).toBeNull()
})
