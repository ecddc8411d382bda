import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.js'
import { migrate } from '../../src/db/migrate.js'
import { openTestDatabase } from '../support/test-database.js'

let database: Database

beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.close())
beforeEach(async () => {
  await database.query('drop schema public cascade')
  await database.query('create schema public')
})

/** Everything in the database's schema, as an operator would see it listed. */
const readObjects = (): Promise<object[]> =>
  database.query(`
    select relname, relkind::text, pg_get_indexdef(oid) as definition
      from pg_class
     where relnamespace = 'public'::regnamespace
     order by relname`)

const readHistory = (): Promise<object[]> =>
  database.query('select * from keyward_migrations order by number')

const ALL = [
  '0001-users.sql',
  '0002-sessions.sql',
  '0003-signing-keys.sql',
  '0004-password-attempts.sql',
  '0005-hash-kinds.sql',
  '0006-attempts-by-key.sql',
  '0007-generated-passwords.sql',
]

test('an empty database gets every migration once, and a second run changes nothing', async () => {
  const first = await migrate(database)
  expect(first).toEqual({ applied: ALL, adopted: false })
  const [objects, history] = [await readObjects(), await readHistory()]
  expect(history).toHaveLength(first.applied.length)

  expect(await migrate(database)).toEqual({ applied: [], adopted: false })
  expect(await readObjects()).toEqual(objects)
  expect(await readHistory()).toEqual(history)
})

test('a second run keeps the accounts', async () => {
  await migrate(database)
  await database.query(`
    insert into users (id, email, name, password_hash)
    values (gen_random_uuid(), 'ada@example.com', 'Ada', 'hash')`)
  const before = await database.query('select * from users')
  await migrate(database)
  expect(await database.query('select * from users')).toEqual(before)
})

test('nodes that start together apply each migration once', async () => {
  const reports = await Promise.all(Array.from({ length: 6 }, () => migrate(database)))
  expect(reports.filter(({ applied }) => applied.length > 0)).toHaveLength(1)
  expect(await readHistory()).toHaveLength(ALL.length)
})

test('a migration that was changed after it had been applied is refused by name', async () => {
  await migrate(database)
  await database.query("update keyward_migrations set checksum = 'of another text'")
  await expect(migrate(database)).rejects.toThrow(
    'Migration 0001-users.sql was changed after it had been applied.',
  )
})

test('a database that a newer Keyward has migrated is refused with the advice to update', async () => {
  await migrate(database)
  await database.query("insert into keyward_migrations values (9999, '9999-from-the-future.sql', 'x')")
  const objects = await readObjects()
  await expect(migrate(database)).rejects.toThrow(
    'The database is newer than this Keyward: it has migration 9999. Update Keyward.',
  )
  expect(await readObjects()).toEqual(objects)
})

test('a migration that fails leaves nothing behind, and works once its obstacle is gone', async () => {
  await database.query("create type users as enum ('a', 'b')")
  await expect(migrate(database)).rejects.toThrow('type "users" already exists')
  expect(await readObjects()).toEqual([])

  await database.query('drop type users')
  expect((await migrate(database)).applied).toEqual(ALL)
})
