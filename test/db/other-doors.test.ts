import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Queryable } from '../../src/db/database.js'
import { PRESENT, readClaims, type User, useTestApp } from '../support/test-app.js'

const app = useTestApp({ startAt: PRESENT })

type Door = readonly [name: string, sql: string, value: (user: User) => string]

/** What another service on the same tables, or an operator in psql, may do to somebody's sessions. */
const DOORS: readonly Door[] = [
  ['disabling the account', 'update users set is_active = false where id = $1', ({ id }) => id],
  ['deleting the account', 'delete from users where id = $1', ({ id }) => id],
  ['ending the session', 'update keyward_sessions set ended_at = now() where user_id = $1', ({ id }) => id],
  ['deleting the session', 'delete from keyward_sessions where id = $1', ({ sessionId }) => sessionId],
]

const readFeed = (user: User) =>
  app.database.query<{ seq: string; expires: number }>(
    'select seq, extract(epoch from expires_at)::int as expires from keyward_revocations where session_id = $1',
    [user.sessionId],
  )

/** What its access token gets: a list of sessions, which asks nothing about the account, or a refusal. */
const verdictOn = async (user: User): Promise<string> =>
  (await user.get('/api/auth/sessions')).body.code ?? 'accepted'

test.each(DOORS)('%s in SQL ends its tokens here as well', async (_, sql, value) => {
  const [user, stranger] = [await app.newUser(), await app.newUser()]
  await app.database.query(sql, [value(user)])
  expect(await readFeed(user)).toEqual([{ seq: expect.any(String), expires: readClaims(user.token).exp }])
  await expect.poll(() => verdictOn(user)).toBe('invalid_token')
  expect((await app.refresh(user.refreshToken)).body.code).toBe('invalid_refresh_token')
  expect(await verdictOn(stranger)).toBe('accepted')
})

test('emptying the table of users ends all sessions', async () => {
  const [one, another] = [await app.newUser(), await app.newUser()]
  await app.database.query('truncate users cascade')
  for (const user of [one, another]) await expect.poll(() => verdictOn(user)).toBe('invalid_token')
})

test('a disabling by a trigger of another stack counts like any other', async () => {
  const user = await app.newUser()
  await app.database.query(`
    create function lock_out() returns trigger language plpgsql as
      $$ begin new.is_active := false; return new; end $$`)
  await app.database.query(`
    create trigger lock_out before update of name on users for each row execute function lock_out()`)
  await app.database.query("update users set name = 'Locked Out' where id = $1", [user.id])
  await app.database.query('drop function lock_out cascade')
  await expect.poll(() => verdictOn(user)).toBe('invalid_token')
})

test('a transaction that might not see a session just opened cannot disable its account', async () => {
  const user = await app.newUser()
  const disabling = app.database.transaction(async (transaction) => {
    await transaction.query('set transaction isolation level repeatable read')
    await transaction.query('update users set is_active = false where id = $1', [user.id])
  })
  await expect(disabling).rejects.toMatchObject({ code: '0A000' })
  expect(await verdictOn(user)).toBe('accepted')
})

/** Made while their table was empty, their plans would read all of it for ever: 14 ms each after 4,000 attempts, not 1. */
const ATTEMPTS = new Set(['keyward_attempts_closed_until', 'keyward_take_attempt'])

test('Keyward’s functions are of no use to anybody else', async () => {
  const rows = await app.database.query<{ name: string; usable: boolean; settings: string[] }>(`
    select proname as name, has_function_privilege('public', oid, 'execute') as usable, proconfig as settings
      from pg_proc where proname like 'keyward%'`)
  expect(rows.length).toBe(6)
  for (const { name, usable, settings } of rows) {
    expect(usable).toBe(false)
    // Temporary tables last: else anybody could put tables of their own in front of Keyward's.
    const searchPath = 'search_path=public, pg_temp'
    expect(settings).toEqual(ATTEMPTS.has(name) ? [searchPath, 'enable_seqscan=off'] : [searchPath])
  }
})

test('doing it twice tells of it once', async () => {
  const user = await app.newUser()
  for (const [, sql, value] of [DOORS[2], DOORS[2], DOORS[0], DOORS[0], DOORS[1]] as Door[]) {
    await app.database.query(sql, [value(user)])
  }
  expect(await readFeed(user)).toHaveLength(1)
})

test('what is rolled back has not happened', async () => {
  const user = await app.newUser()
  for (const [, sql, value] of DOORS) {
    const rolledBack = app.database.transaction(async (transaction) => {
      await transaction.query(sql, [value(user)])
      throw new Error('on purpose')
    })
    await expect(rolledBack).rejects.toThrow('on purpose')
  }
  expect(await readFeed(user)).toEqual([])
  expect(await verdictOn(user)).toBe('accepted')
})

test('changing anything else about the account ends nothing', async () => {
  const user = await app.newUser()
  await app.database.query(
    "update users set name = 'Ada', is_active = true, updated_at = now() where id = $1",
    [user.id],
  )
  await app.database.query('update keyward_sessions set last_seen_at = now() where user_id = $1', [user.id])
  expect(await readFeed(user)).toEqual([])
})

test('deleting a session whose tokens have all expired is no news', async () => {
  const user = await app.newUser()
  await app.database.query(
    "update keyward_sessions set access_expires_at = now() - interval '1 day' where user_id = $1",
    [user.id],
  )
  await app.database.query('delete from users where id = $1', [user.id])
  expect(await readFeed(user)).toEqual([])
})

describe.runIf(inject('database') === 'server')('a role that may only touch the accounts', () => {
  const role = `keyward_test_${randomBytes(6).toString('hex')}`
  beforeAll(async () => {
    await app.database.query(`create role ${role}`)
    await app.database.query(`grant select, insert, update, delete on users to ${role}`)
  })
  afterAll(async () => {
    await app.database.query(`drop owned by ${role}`)
    await app.database.query(`drop role ${role}`)
  })

  const asRole = (work: (transaction: Queryable) => Promise<unknown>) =>
    app.database.transaction(async (transaction) => {
      await transaction.query(`set local role ${role}`)
      await work(transaction)
    })

  test('has no rights on sessions or the feed', async () => {
    for (const table of ['keyward_sessions', 'keyward_refresh_tokens', 'keyward_revocations']) {
      await expect(asRole((as) => as.query(`select 1 from ${table}`))).rejects.toThrow('permission denied')
    }
  })

  test.each(DOORS.slice(0, 2))('ends sessions by %s', async (_, sql, value) => {
    const user = await app.newUser()
    await asRole((as) => as.query(sql, [value(user)]))
    expect(await readFeed(user)).toHaveLength(1)
    await expect.poll(() => verdictOn(user)).toBe('invalid_token')
  })

  test.each(DOORS.slice(0, 2))(
    'cannot hide the end of a session by %s behind tables of its own',
    async (_, sql, value) => {
      const user = await app.newUser()
      await asRole(async (as) => {
        for (const table of ['keyward_sessions', 'keyward_revocation_head', 'keyward_revocations']) {
          const columns = await app.database.query<{ definition: string }>(
            `select string_agg(quote_ident(attname) || ' ' || format_type(atttypid, atttypmod), ', ') as definition
               from pg_attribute where attrelid = $1::regclass and attnum > 0`,
            [table],
          )
          await as.query(`create temp table ${table} (${columns[0]?.definition})`)
        }
        await as.query('insert into pg_temp.keyward_revocation_head (last_seq) values (0)')
        await as.query(sql, [value(user)])
        await as.query('drop table pg_temp.keyward_sessions, keyward_revocation_head, keyward_revocations')
      })
      expect(await readFeed(user)).toHaveLength(1)
      await expect.poll(() => verdictOn(user)).toBe('invalid_token')
    },
  )
})
