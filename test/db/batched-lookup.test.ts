import { beforeEach, describe, expect, test } from 'vitest'
import { createAccountStore } from '../../src/accounts/sql.js'
import { createBatchedLookup } from '../../src/db/batched-lookup.js'
import { type User, useTestApp } from '../support/test-app.js'

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('look-ups that arrive together', () => {
  interface Statement {
    readonly keys: readonly string[]
    answer(rows: readonly string[]): void
    fail(error: Error): void
  }
  let statements: Statement[]
  let lookUp: (key: string) => Promise<string | null>

  beforeEach(() => {
    statements = []
    lookUp = createBatchedLookup<string>(
      (keys) =>
        new Promise((resolve, reject) => {
          statements.push({ keys, answer: (rows) => resolve([...rows]), fail: reject })
        }),
      (row) => row,
    )
  })

  test('share one statement, and each gets its own row or none', async () => {
    const found = Promise.all(['a', 'b', 'a', 'gone'].map((key) => lookUp(key)))
    await settle()
    expect(statements.map(({ keys }) => keys)).toEqual([['a', 'b', 'gone']])
    statements[0]?.answer(['b', 'a'])
    expect(await found).toEqual(['a', 'b', 'a', null])
  })

  test('never join a statement that is already on its way: its answer may be older than the question', async () => {
    const first = lookUp('a')
    await settle()
    const second = lookUp('a')
    await settle()
    expect(statements).toHaveLength(2)
    statements[0]?.answer([])
    statements[1]?.answer(['a'])
    expect([await first, await second]).toEqual([null, 'a'])
  })

  test('wait while two statements are on their way, then go together', async () => {
    for (const key of ['a', 'b']) {
      void lookUp(key)
      await settle()
    }
    const late = [lookUp('c'), lookUp('d')]
    await settle()
    expect(statements).toHaveLength(2)
    statements[0]?.answer(['a'])
    await settle()
    await settle()
    expect(statements[2]?.keys).toEqual(['c', 'd'])
    statements[2]?.answer(['c', 'd'])
    expect(await Promise.all(late)).toEqual(['c', 'd'])
  })

  test('go in several statements when there are very many', async () => {
    const keys = Array.from({ length: 1_200 }, (_, i) => `key ${i}`)
    const found = Promise.all(keys.map((key) => lookUp(key)))
    for (let i = 0; i < 3; i++) {
      await settle()
      await settle()
      statements[i]?.answer(statements[i]?.keys ?? [])
    }
    expect(await found).toEqual(keys)
    expect(statements.map((statement) => statement.keys.length)).toEqual([500, 500, 200])
  })

  test('all hear of a failure, also those who waited behind it, and the next works again', async () => {
    const failure = new Error('connection lost')
    const failed = [lookUp('a')]
    await settle()
    failed.push(lookUp('b'))
    await settle()
    failed.push(lookUp('c'))
    statements[0]?.fail(failure)
    await expect(failed[0]).rejects.toBe(failure)
    await expect(failed[2]).rejects.toBe(failure)
    statements[1]?.answer(['b'])
    expect(await failed[1]).toBe('b')
    const next = lookUp('a')
    await settle()
    await settle()
    statements[2]?.answer(['a'])
    expect(await next).toBe('a')
  })
})

describe('profile reads', () => {
  const app = useTestApp()

  test('among many at once, each answers for its own account', async () => {
    const users: User[] = []
    for (let i = 0; i < 30; i++) users.push(await app.newUser())
    const asked = [...users, ...users, ...users]
    const replies = await Promise.all(asked.map((user) => user.get('/api/auth/profile')))
    expect(replies.map(({ body }) => body.id)).toEqual(asked.map(({ id }) => id))
  })

  test('see every change that was done before they were asked', async () => {
    const user = await app.newUser()
    const others = await Promise.all(Array.from({ length: 5 }, () => app.newUser()))
    const accounts = createAccountStore(app.database)
    for (let i = 0; i < 40; i++) {
      // Reads are under way all the time.
      const noise = others.map(({ id }) => accounts.findById(id))
      await app.database.query('update users set name = $2 where id = $1', [user.id, `Name ${i}`])
      const [account] = await Promise.all([accounts.findById(user.id), ...noise])
      expect(account?.name).toBe(`Name ${i}`)
    }
  })
})
