import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createKeySafe } from '../../src/core/sealed-key.js'
import { type AsymmetricAlgorithm } from '../../src/core/signing-key.js'
import type { Database } from '../../src/db/database.js'
import { migrate } from '../../src/db/migrate.js'
import { createSigningKeyStore } from '../../src/keys/sql.js'
import type { NewKey, SigningKeyStore } from '../../src/keys/store.js'
import { stateOf, verifiesUntil } from '../../src/keys/stored-key.js'
import { openTestDatabase } from '../support/test-database.js'
import { newPrivateKey } from '../support/new-key.js'

const safe = createKeySafe('tB6yWq1ZsXn8RmVc4LdKf7PjHg2UeAo9')
const TTL = 600
const newKey = (algorithm: AsymmetricAlgorithm = 'EdDSA', longestTokenSeconds = TTL): NewKey => ({
  ...safe.seal(newPrivateKey(algorithm)),
  longestTokenSeconds,
})

let database: Database
let store: SigningKeyStore

beforeAll(async () => {
  database = await openTestDatabase()
  await migrate(database)
  store = createSigningKeyStore(database)
})
afterAll(() => database.close())
beforeEach(() => database.query('delete from keyward_signing_keys'))

/** Lets so many seconds pass for all keys. */
const age = (seconds: number) =>
  database.query(
    `update keyward_signing_keys set signs_from = signs_from - $1 * interval '1 second',
                                     created_at = created_at - $1 * interval '1 second'`,
    [seconds],
  )
async function states(): Promise<[string, string][]> {
  const { keys, now } = await store.read()
  return keys.map((key) => [key.kid, stateOf(key, keys, now)])
}
const longest = async (): Promise<number[]> =>
  (await store.read()).keys.map(({ longestTokenSeconds }) => longestTokenSeconds)

test('a key comes back as it was stored, and opens', async () => {
  const key = newKey('ES256')
  await store.addFirst(key)
  const { keys, now } = await store.read()
  expect(keys).toMatchObject([{ kid: key.kid, algorithm: 'ES256', longestTokenSeconds: TTL }])
  expect(keys[0]!.sealed.equals(key.sealed)).toBe(true)
  expect(safe.open(keys[0]!)?.kid).toBe(key.kid)
  expect(Math.abs(now - Date.now())).toBeLessThan(60_000)
  expect(keys[0]!.signsFrom).toBeLessThanOrEqual(now)
})

test('nodes that start together agree on one first key', async () => {
  const candidates = Array.from({ length: 8 }, () => newKey())
  await Promise.all(candidates.map((key) => store.addFirst(key)))
  expect(await states()).toHaveLength(1)
})

test('each algorithm has a first key of its own', async () => {
  const [edDsa, es256] = [newKey('EdDSA'), newKey('ES256')]
  await store.addFirst(edDsa)
  expect(await store.prepare('ES256', TTL)).toBe(false)
  await store.addFirst(es256)
  expect(await store.prepare('ES256', TTL)).toBe(true)
  expect((await states()).map(([, state]) => state)).toEqual(['signs', 'signs'])
})

describe('rotation', () => {
  test('a next key waits five minutes, signs, and its predecessor verifies as long as its tokens live', async () => {
    const [first, second] = [newKey(), newKey()]
    await store.addFirst(first)
    expect(await store.addNext(second)).toBe(true)
    expect(await states()).toEqual([
      [first.kid, 'signs'],
      [second.kid, 'waits'],
    ])
    await age(299)
    expect((await states())[1]).toEqual([second.kid, 'waits'])
    await age(2)
    expect(await states()).toEqual([
      [first.kid, 'verifies'],
      [second.kid, 'signs'],
    ])
    await age(TTL + 300)
    expect(await states()).toEqual([
      [first.kid, 'expired'],
      [second.kid, 'signs'],
    ])
  })

  test('of several operators at once one makes the key', async () => {
    await store.addFirst(newKey())
    const added = await Promise.all(Array.from({ length: 8 }, () => store.addNext(newKey())))
    expect(added.filter(Boolean)).toHaveLength(1)
    expect(await states()).toHaveLength(2)
  })

  test('the new key takes over how long tokens live, whatever the operator’s settings say', async () => {
    await store.addFirst(newKey('EdDSA', 5_000))
    await store.addNext(newKey('EdDSA', 60))
    expect(await longest()).toEqual([5_000, 5_000])
  })

  test('a node whose tokens live longer makes the keys last longer that it may sign with, and no other', async () => {
    await store.addFirst(newKey())
    await store.addNext(newKey())
    await age(400)
    await store.addNext(newKey())
    await store.prepare('EdDSA', 9_000)
    expect(await longest()).toEqual([TTL, 9_000, 9_000])
    await store.prepare('EdDSA', 60)
    await store.prepare('ES256', 99_000)
    expect(await longest()).toEqual([TTL, 9_000, 9_000])
  })
})

describe('retiring', () => {
  test('the key is gone, and the next one signs at once', async () => {
    const [first, second] = [newKey(), newKey()]
    await store.addFirst(first)
    await store.addNext(second)
    expect(await store.retire(first.kid)).toBe('retired')
    expect(await states()).toEqual([[second.kid, 'signs']])
    const { keys, now } = await store.read()
    expect(keys[0]!.signsFrom).toBeLessThanOrEqual(now)
  })

  test('the only key stays, and so does everything when the name is wrong', async () => {
    const only = newKey()
    await store.addFirst(only)
    expect(await store.retire(only.kid)).toBe('irreplaceable')
    for (const kid of ['', 'x', "' or true --", only.kid.slice(1)])
      expect(await store.retire(kid)).toBe('unknown')
    expect(await states()).toEqual([[only.kid, 'signs']])
  })

  test('of two operators who retire both keys at once only one succeeds', async () => {
    const [first, second] = [newKey(), newKey()]
    await store.addFirst(first)
    await store.addNext(second)
    const outcomes = await Promise.all([store.retire(first.kid), store.retire(second.kid)])
    expect(outcomes.sort()).toEqual(['irreplaceable', 'retired'])
  })
})

test('a key is purged an hour after the last of its tokens has expired, and none that signs', async () => {
  const [first, second] = [newKey(), newKey()]
  await store.addFirst(first)
  await store.addNext(second)
  const { keys, now } = await store.read()
  const secondsLeft = Math.ceil((verifiesUntil(keys[0]!, keys) - now) / 1000)
  await age(secondsLeft + 3_590)
  expect(await store.purge()).toBe(0)
  await age(20)
  expect(await store.purge()).toBe(1)
  expect(await states()).toEqual([[second.kid, 'signs']])
  await age(10_000_000)
  expect(await store.purge()).toBe(0)
})
