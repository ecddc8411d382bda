import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createGate, holdNext } from '../support/gateway.js'
import { PASSWORD } from '../support/test-app.js'
import { createMapStorage, failureOf, useKeyward } from './keyward-client.js'

const keyward = useKeyward()
const { app, gateway } = keyward
const REFRESH = 'POST /api/auth/refresh'
const PROFILE = 'GET /api/auth/profile'

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('an expired access token is renewed without anybody noticing', async () => {
  const { client, id } = await keyward.newUser()
  keyward.expireAccessTokens()
  expect(await client.readProfile()).toMatchObject({ id })
  expect(gateway.operations.slice(1)).toEqual([PROFILE, REFRESH, PROFILE])
  await client.readProfile()
  expect(gateway.count(REFRESH)).toBe(1)
})

test('of many calls refused at once one refreshes, and all succeed', async () => {
  const { client, id } = await keyward.newUser()
  keyward.expireAccessTokens()
  const users = await Promise.all(Array.from({ length: 20 }, () => client.readProfile()))
  expect(users.map((user) => user.id)).toEqual(users.map(() => id))
  expect(gateway.count(REFRESH)).toBe(1)
})

test('a call whose refusal comes late uses the token that another one has fetched meanwhile', async () => {
  const { client } = await keyward.newUser()
  keyward.expireAccessTokens()
  const late = holdNext(gateway, 'GET /api/auth/sessions')
  const list = client.listSessions()
  await late.arrived
  await client.readProfile()
  late.open()
  expect(await list).toHaveLength(1)
  expect(gateway.count(REFRESH)).toBe(1)
})

test('a clock that is a century ahead makes no difference', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2199, 0, 1) })
  const { client } = await keyward.newUser()
  await client.readProfile()
  expect(gateway.count(REFRESH)).toBe(0)
  keyward.expireAccessTokens()
  await client.readProfile()
  expect(gateway.count(REFRESH)).toBe(1)
})

test('a refresh whose reply is lost is repeated, and the session goes on', async () => {
  const { client } = await keyward.newUser()
  keyward.expireAccessTokens()
  gateway.onNext(REFRESH, async (forward) => {
    await forward()
    return null
  })
  await client.readProfile()
  expect(gateway.count(REFRESH)).toBe(2)
  // The token that came with the repetition is good for the next exchange, long after.
  app.passSeconds(3_600)
  await client.readProfile()
  expect(gateway.count(REFRESH)).toBe(3)
})

test('a reply that a gateway has replaced by an error of its own counts as lost', async () => {
  const { client } = await keyward.newUser()
  keyward.expireAccessTokens()
  gateway.onNext(REFRESH, async (forward) => {
    await forward()
    return { status: 504, body: 'Gateway timeout' }
  })
  await client.readProfile()
  expect(gateway.count(REFRESH)).toBe(2)
})

test('when Keyward stays away, every waiting call fails, and the session is still there afterwards', async () => {
  const { client, id } = await keyward.newUser()
  keyward.expireAccessTokens()
  for (let i = 0; i < 2; i++) gateway.onNext(REFRESH, async () => null)
  const failures = await Promise.all([client.readProfile(), client.listSessions()].map(failureOf))
  expect(failures).toMatchObject([{ code: 'network_error' }, { code: 'network_error' }])
  expect(gateway.count(REFRESH)).toBe(2)
  expect(await client.readProfile()).toMatchObject({ id })
})

test('a busy server is not asked again, and ends no session', async () => {
  const { client, id } = await keyward.newUser()
  keyward.expireAccessTokens()
  gateway.onNext(REFRESH, async () => ({
    status: 503,
    headers: { 'retry-after': '2' },
    body: '{"code":"database_unavailable"}',
  }))
  const failure = await failureOf(client.readProfile())
  expect(failure).toMatchObject({ code: 'database_unavailable', retryAfterSeconds: 2 })
  expect(gateway.count(REFRESH)).toBe(1)
  expect(await client.user()).toMatchObject({ id })
  await client.readProfile()
})

test('a token that is refused again right after a refresh is not refreshed again', async () => {
  const { client } = await keyward.newUser()
  const refuse = async () => ({ status: 401, body: '{"code":"invalid_token"}' })
  gateway.onNext(PROFILE, refuse)
  gateway.onNext(PROFILE, refuse)
  expect(await failureOf(client.readProfile())).toMatchObject({ code: 'invalid_token' })
  expect(gateway.operations.slice(1)).toEqual([PROFILE, REFRESH, PROFILE])
})

test.each(['not_authenticated', 'invalid_credentials'])('no refresh helps against %s', async (code) => {
  const { client } = await keyward.newUser()
  gateway.onNext(PROFILE, async () => ({ status: 401, body: JSON.stringify({ code }) }))
  expect(await failureOf(client.readProfile())).toMatchObject({ code })
  expect(gateway.count(REFRESH)).toBe(0)
})

test('a session that was ended elsewhere is over here with the next call, for all calls at once', async () => {
  const { client, storage, id } = await keyward.newUser()
  const seen: unknown[] = []
  client.onChange((user) => seen.push(user?.id ?? null))
  await app.runUserCommand({ action: 'logout', who: id, password: null })
  const failures = await Promise.all([client.readProfile(), client.listSessions()].map(failureOf))
  expect(failures).toMatchObject([{ code: 'invalid_token' }, { code: 'invalid_token' }])
  expect(seen).toEqual([id, null])
  expect(storage.entries.size).toBe(0)
  expect(gateway.count(REFRESH)).toBe(1)
  expect(await failureOf(client.readProfile())).toMatchObject({ code: 'not_authenticated' })
})

test('a stored session that has expired long ago is over, without a loop', async () => {
  const { client } = await keyward.newUser()
  app.passSeconds(40 * 86_400)
  expect(await failureOf(client.readProfile())).toMatchObject({ code: 'token_expired' })
  expect(await client.user()).toBeNull()
  expect(gateway.operations.slice(1)).toEqual([PROFILE, REFRESH])
})

describe('while a refresh is under way', () => {
  test('an abort ends the wait of its own call only', async () => {
    const { client, id } = await keyward.newUser()
    keyward.expireAccessTokens()
    const held = holdNext(gateway, REFRESH)
    const controller = new AbortController()
    const impatient = failureOf(client.readProfile({ signal: controller.signal }))
    const patient = client.readProfile()
    await held.arrived
    controller.abort(new Error('left'))
    expect(await impatient).toEqual(new Error('left'))
    held.open()
    expect(await patient).toMatchObject({ id })
    expect(gateway.count(REFRESH)).toBe(1)
  })

  test('a log-out is not held up, and stands', async () => {
    const { client, storage } = await keyward.newUser()
    keyward.expireAccessTokens()
    const held = holdNext(gateway, REFRESH)
    const call = failureOf(client.readProfile())
    await held.arrived
    await client.logout()
    expect(await client.user()).toBeNull()
    held.open()
    expect(await call).toMatchObject({ code: 'token_expired' })
    expect(storage.entries.size).toBe(0)
    expect(await client.user()).toBeNull()
  })

  test('somebody else’s log-in stands, and calls of before are not made in their name', async () => {
    const [ada, bob] = [await keyward.newUser(), await keyward.newUser()]
    keyward.expireAccessTokens()
    const held = holdNext(gateway, REFRESH)
    const call = failureOf(ada.client.updateProfile({ name: 'Changed' }))
    await held.arrived
    await ada.client.login({ email: bob.email, password: PASSWORD })
    held.open()
    expect(await call).toMatchObject({ code: 'token_expired' })
    expect(await ada.client.user()).toMatchObject({ id: bob.id })
    expect(await ada.client.readProfile()).toMatchObject({ id: bob.id, name: 'Ada' })
  })

  test('a reply of before, with a new name, does not bring the old tokens back', async () => {
    const { client, id } = await keyward.newUser()
    const gate = createGate()
    gateway.onNext('PUT /api/auth/profile', async (forward) => {
      const reply = await forward()
      await gate.pass()
      return reply
    })
    const change = client.updateProfile({ name: 'Augusta' })
    await gate.arrived
    keyward.expireAccessTokens()
    await client.readProfile()
    gate.open()
    await change
    app.passSeconds(3_600)
    expect(await client.readProfile()).toMatchObject({ id, name: 'Augusta' })
    expect(await client.user()).toMatchObject({ name: 'Augusta' })
  })
})

describe('two tabs with one storage, without Web Locks', () => {
  beforeEach(() => {
    vi.stubGlobal('navigator', {})
  })

  test('may both refresh at once: the server gives them the same token', async () => {
    const { client, storage, id } = await keyward.newUser()
    const other = keyward.newClient({ storage })
    keyward.expireAccessTokens()
    const held = holdNext(gateway, REFRESH)
    const first = client.readProfile()
    await held.arrived
    expect(await other.readProfile()).toMatchObject({ id })
    held.open()
    expect(await first).toMatchObject({ id })
    app.passSeconds(3_600)
    expect(await client.readProfile()).toMatchObject({ id })
    expect(await other.readProfile()).toMatchObject({ id })
  })

  test('a refusal of a token that the other tab has replaced meanwhile ends nothing', async () => {
    const { client, storage, id } = await keyward.newUser()
    const other = keyward.newClient({ storage })
    keyward.expireAccessTokens()
    const gate = createGate()
    gateway.onNext(REFRESH, async () => {
      await gate.pass()
      return { status: 401, body: '{"code":"invalid_refresh_token"}' }
    })
    const first = client.readProfile()
    await gate.arrived
    await other.readProfile()
    gate.open()
    expect(await first).toMatchObject({ id })
  })
})

describe('with Web Locks', () => {
  test('two tabs refresh once', async () => {
    vi.stubGlobal('navigator', { locks: createLockManager() })
    const { client, storage } = await keyward.newUser()
    const other = keyward.newClient({ storage })
    keyward.expireAccessTokens()
    await Promise.all([client, other].flatMap((each) => [each.readProfile(), each.listSessions()]))
    expect(gateway.count(REFRESH)).toBe(1)
  })

  test('when another tab keeps the lock for too long the call fails, and nothing else happens', async () => {
    const locks = createLockManager()
    vi.stubGlobal('navigator', { locks })
    const { client, id } = await keyward.newUser()
    keyward.expireAccessTokens()
    locks.patienceEnds = true
    expect(await failureOf(client.readProfile())).toMatchObject({ code: 'network_error' })
    expect(gateway.count(REFRESH)).toBe(0)
    locks.patienceEnds = false
    expect(await client.readProfile()).toMatchObject({ id })
  })

  /** Queues by name, as browsers do (Web Locks API §5); whoever is only ready to wait for some time can be let down. */
  function createLockManager() {
    const queues = new Map<string, Promise<unknown>>()
    const locks = {
      patienceEnds: false,
      async request<T>(
        name: string,
        { signal }: { signal?: AbortSignal },
        work: () => Promise<T>,
      ): Promise<T> {
        if (signal && locks.patienceEnds) throw new DOMException('timed out', 'TimeoutError')
        const turn = (queues.get(name) ?? Promise.resolve()).then(work)
        queues.set(
          name,
          turn.catch(() => {}),
        )
        return turn
      },
    }
    return locks
  }
})

test('the first client of a new page finds the session in the storage', async () => {
  const { storage, id } = await keyward.newUser()
  keyward.expireAccessTokens()
  const reloaded = keyward.newClient({ storage })
  expect(await reloaded.user()).toMatchObject({ id })
  expect(await reloaded.readProfile()).toMatchObject({ id })
})

test('clients of two servers do not share a session, though they share a storage', async () => {
  const storage = createMapStorage()
  await keyward.newUser({ storage })
  expect(await keyward.newClient({ storage, url: `${gateway.url}/other/` }).user()).toBeNull()
})
