import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { createAccountStore } from '../../src/accounts/sql.js'
import type { Database, Queryable } from '../../src/db/database.js'
import { migrate } from '../../src/db/migrate.js'
import { createUserStore } from '../../src/operators/sql.js'
import type { NewSession, RotationOutcome, SessionStore } from '../../src/sessions/session.js'
import { createSessionStore } from '../../src/sessions/sql.js'
import { openTestDatabase } from '../support/test-database.js'

let database: Database
let sessions: SessionStore

beforeAll(async () => {
  database = await openTestDatabase()
  await migrate(database)
  sessions = createSessionStore(database)
})
afterAll(() => database.close())

const NOW = new Date()
const later = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000)

async function addUser(): Promise<string> {
  const id = randomUUID()
  await createAccountStore(database).insert({
    id,
    email: `${id}@example.com`,
    name: 'Test User',
    passwordHash: 'hash 1',
    createdAt: NOW,
  })
  return id
}

const newSession = (userId: string): NewSession => ({
  id: randomUUID(),
  userId,
  verifiedHash: 'hash 1',
  refreshHash: randomBytes(32),
  address: '127.0.0.1',
  userAgent: '',
  now: NOW,
  idleExpiresAt: later(1_000),
  expiresAt: later(2_000),
  accessExpiresAt: later(500),
  replaces: null,
})

const changePassword = (userId: string) => ({
  userId,
  verifiedHash: 'hash 1',
  newHash: 'hash 2',
  exceptSessionId: null,
  now: NOW,
})

const idsOf = async (userId: string): Promise<string[]> =>
  (await sessions.list(userId, NOW)).map(({ id }) => id)

async function endReason({ id }: NewSession): Promise<string | null | undefined> {
  const [row] = await database.query<{ end_reason: string | null }>(
    'select end_reason from keyward_sessions where id = $1',
    [id],
  )
  return row?.end_reason
}

describe('a log-in that verified its password before', () => {
  test('opens a session while the account is as it was', async () => {
    const session = newSession(await addUser())
    expect(await sessions.open(session)).toBe(true)
    expect(await idsOf(session.userId)).toEqual([session.id])
  })

  test('opens none when the password has been changed since', async () => {
    const session = newSession(await addUser())
    expect(await sessions.replacePassword(changePassword(session.userId))).toBe(true)
    expect(await sessions.open(session)).toBe(false)
    expect(await idsOf(session.userId)).toEqual([])
    expect(await sessions.open({ ...session, verifiedHash: 'hash 2' })).toBe(true)
  })

  test('opens none when the account has been disabled or deleted since', async () => {
    const users = createUserStore(database)
    const [disabled, deleted] = [newSession(await addUser()), newSession(await addUser())]
    await users.setActive(disabled.userId, false, NOW)
    await users.delete(deleted.userId)
    expect(await sessions.open(disabled)).toBe(false)
    expect(await sessions.open(deleted)).toBe(false)
  })
})

describe('a log-in that replaces a session', () => {
  const replacing = (userId: string, { id, userId: holder }: NewSession): NewSession => ({
    ...newSession(userId),
    replaces: { id, userId: holder },
  })

  test.each(['the same', 'another'])('of %s account ends it, and no other', async (whose) => {
    const held = newSession(await addUser())
    const other = newSession(held.userId)
    for (const session of [held, other]) await sessions.open(session)
    const session = replacing(whose === 'another' ? await addUser() : held.userId, held)
    expect(await sessions.open(session)).toBe(true)
    expect(await endReason(held)).toBe('replaced')
    expect([await endReason(other), await endReason(session)]).toEqual([null, null])
  })

  test('ends nothing when it opens nothing', async () => {
    const [held, changed] = [newSession(await addUser()), await addUser()]
    await sessions.open(held)
    await sessions.replacePassword(changePassword(changed))
    expect(await sessions.open(replacing(changed, held))).toBe(false)
    expect(await endReason(held)).toBeNull()
  })

  test('does not enter by the account of the session that it replaces', async () => {
    const held = newSession(await addUser())
    await sessions.open(held)
    expect(await sessions.open(replacing(randomUUID(), held))).toBe(false)
    expect(await idsOf(held.userId)).toEqual([held.id])
  })

  test('ends no session under the name of another account, and none twice', async () => {
    const [held, stranger] = [newSession(await addUser()), await addUser()]
    await sessions.open(held)
    const session = { ...newSession(stranger), replaces: { id: held.id, userId: stranger } }
    expect(await sessions.open(session)).toBe(true)
    expect(await endReason(held)).toBeNull()
    await sessions.end(held.userId, held.id, 'logout', NOW)
    expect(await sessions.open(replacing(stranger, held))).toBe(true)
    expect(await endReason(held)).toBe('logout')
  })
})

test('a change of password that verified an old one changes and ends nothing', async () => {
  const session = newSession(await addUser())
  await sessions.open(session)
  const change = { ...changePassword(session.userId), verifiedHash: 'hash 0' }
  expect(await sessions.replacePassword(change)).toBe(false)
  expect(await idsOf(session.userId)).toEqual([session.id])
})

test('last seen only moves forward', async () => {
  const session = newSession(await addUser())
  await sessions.open(session)
  await sessions.touch([session.id, randomUUID()], later(60))
  await sessions.touch([session.id], later(30))
  expect((await sessions.list(session.userId, NOW))[0]?.lastSeenAt).toEqual(later(60))
})

// The embedded database has one connection: there, nothing happens between two statements of a transaction.
describe.runIf(inject('database') === 'server')('while another transaction is under way', () => {
  /** Until so many statements on this database wait for a lock. */
  const untilWaiting = (count: number) =>
    expect
      .poll(
        async () =>
          (
            await database.query(
              "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
            )
          ).length,
        { interval: 5, timeout: 1_500 },
      )
      .toBe(count)

  const CHANGES: readonly (readonly [string, string])[] = [
    ['changes the password', "update users set password_hash = 'hash 2' where id = $1"],
    ['disables the account', 'update users set is_active = false where id = $1'],
    ['deletes the account', 'delete from users where id = $1'],
  ]

  test.each(CHANGES)('that %s, a log-in waits for it and then opens no session', async (_, sql) => {
    const session = newSession(await addUser())
    let opening: Promise<boolean> | undefined
    await database.transaction(async (transaction) => {
      await transaction.query(sql, [session.userId])
      opening = sessions.open(session)
      await untilWaiting(1)
    })
    expect(await opening).toBe(false)
    expect(await idsOf(session.userId)).toEqual([])
  })

  test.each(CHANGES)('that %s but is rolled back, a log-in waits for it and succeeds', async (_, sql) => {
    const session = newSession(await addUser())
    let opening: Promise<boolean> | undefined
    const rolledBack = database.transaction(async (transaction) => {
      await transaction.query(sql, [session.userId])
      opening = sessions.open(session)
      await untilWaiting(1)
      throw new Error('on purpose')
    })
    await expect(rolledBack).rejects.toThrow('on purpose')
    expect(await opening).toBe(true)
  })

  test.each([
    ['change of password', (id: string) => sessions.replacePassword(changePassword(id)), 'password_changed'],
    ['disabling', (id: string) => createUserStore(database).setActive(id, false, NOW), 'account_disabled'],
    [
      'new password by an operator',
      (id: string) => createUserStore(database).setPassword(id, 'hash 2', null, NOW),
      'password_changed',
    ],
    ['deletion', (id: string) => createUserStore(database).delete(id), undefined],
  ])('that opens a session, a %s waits for it and ends that session too', async (_, change, reason) => {
    const session = newSession(await addUser())
    let changing: Promise<boolean> | undefined
    await database.transaction(async (transaction) => {
      expect(await storeIn(transaction).open(session)).toBe(true)
      changing = change(session.userId)
      await untilWaiting(1)
    })
    expect(await changing).toBe(true)
    expect(await idsOf(session.userId)).toEqual([])
    expect(await endReason(session)).toBe(reason)
  })

  test.each(CHANGES)(
    'that %s, a log-in elsewhere that replaces a session of it waits, then opens one',
    async (_, sql) => {
      const [held, session] = [newSession(await addUser()), newSession(await addUser())]
      await sessions.open(held)
      let opening: Promise<boolean> | undefined
      await database.transaction(async (transaction) => {
        await transaction.query(sql, [held.userId])
        opening = sessions.open({ ...session, replaces: held })
        await untilWaiting(1)
      })
      expect(await opening).toBe(true)
      expect([await idsOf(held.userId), await idsOf(session.userId)]).toEqual([[], [session.id]])
    },
  )

  test('that ends a session, a refresh waits for it and gets nothing', async () => {
    const session = newSession(await addUser())
    await sessions.open(session)
    let rotating: ReturnType<SessionStore['rotate']> | undefined
    await database.transaction(async (transaction) => {
      await storeIn(transaction).end(session.userId, session.id, 'logout', NOW)
      rotating = sessions.rotate(rotation(session))
      await untilWaiting(1)
    })
    expect(await rotating).toEqual({ outcome: 'gone' })
  })

  test('that holds the session, uses of one refresh token line up, and exactly one rotates', async () => {
    const session = newSession(await addUser())
    await sessions.open(session)
    let rotating: Promise<RotationOutcome[]> | undefined
    await database.transaction(async (transaction) => {
      await transaction.query('select 1 from keyward_sessions where id = $1 for update', [session.id])
      rotating = Promise.all(Array.from({ length: 6 }, () => sessions.rotate(rotation(session))))
      await untilWaiting(6)
    })
    const outcomes = (await rotating) ?? []
    expect(outcomes.filter(({ outcome }) => outcome === 'rotated')).toHaveLength(1)
    const repeated = outcomes.filter((each) => each.outcome === 'repeated')
    expect(repeated).toHaveLength(5)
    expect(new Set(repeated.map(({ sealedCurrent }) => sealedCurrent.toString('hex'))).size).toBe(1)
  })

  /** The same rules inside a transaction that the test holds open. */
  const storeIn = (transaction: Queryable): SessionStore =>
    createSessionStore({
      query: (text, values) => transaction.query(text, values),
      transaction: (work) => work(transaction),
      close: async () => {},
    })
})

const rotation = (session: NewSession) => ({
  presentedHash: session.refreshHash,
  nextHash: randomBytes(32),
  sealedNext: randomBytes(60),
  now: NOW,
  idleExpiresAt: later(1_000),
  accessExpiresAt: later(500),
  repeatableSince: later(-10),
})

test('whatever ends many sessions of one account at once, nothing waits for itself', async () => {
  const users = createUserStore(database)
  for (let round = 0; round < 10; round++) {
    const userId = await addUser()
    const opened = Array.from({ length: 60 }, () => newSession(userId))
    for (const session of opened) await sessions.open(session)
    const ids = opened.map(({ id }) => id).sort()
    const outcomes = await Promise.allSettled([
      sessions.endAll(userId, null, 'logout_all', NOW),
      users.setActive(userId, false, NOW),
      sessions.touch(ids, later(60)),
      sessions.endAll(userId, null, 'logout_all', NOW),
      sessions.replacePassword(changePassword(userId)),
      round % 2 === 0 ? users.delete(userId) : users.logout(userId, NOW),
      sessions.touch(ids, later(120)),
      sessions.open({ ...newSession(userId), replaces: { id: ids[0] ?? '', userId } }),
    ])
    const failures = outcomes.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []))
    expect(failures).toEqual([])
    expect(await idsOf(userId)).toEqual([])
  }
})
