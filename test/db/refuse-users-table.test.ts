import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.js'
import { migrate } from '../../src/db/migrate.js'
import { Refusal } from '../../src/errors.js'
import {
  INACTIVE,
  insertPythonAccount,
  makePythonUsersTable,
  MIXED_CASE,
  runScript,
} from '../support/python-users-table.js'
import { openTestDatabase } from '../support/test-database.js'

let database: Database

beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.close())
beforeEach(async () => {
  await database.query('drop schema public cascade')
  await database.query('create schema public')
  await makePythonUsersTable(database)
})

const readEverything = () =>
  Promise.all([
    database.query('select * from users order by email'),
    database.query(`
      select relname, attname, format_type(atttypid, atttypmod), attnotnull, atthasdef
        from pg_class left join pg_attribute on attrelid = pg_class.oid and attnum > 0
       where relnamespace = 'public'::regnamespace
       order by relname, attnum`),
  ])

async function expectRefusal(differences: readonly string[]): Promise<void> {
  const before = await readEverything()
  const error = await migrate(database).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(Error)
  expect(error).not.toBeInstanceOf(Refusal)
  const [headline, ...lines] = (error as Error).message.split('\n')
  expect(headline).toBe('There is a users table here that Keyward cannot share; it was left untouched:')
  expect(lines).toEqual(differences.map((difference) => `  - ${difference}`))
  expect(await readEverything()).toEqual(before)
  expect(await database.query("select relname from pg_class where relname like 'keyward%'")).toEqual([])
}

test.each([
  ['lacks a column', 'alter table users drop name', 'column name is missing'],
  [
    'has ids of another type',
    'alter table users drop id; alter table users add id serial primary key',
    'column id is integer, expected uuid',
  ],
  [
    'has ids that are text',
    'alter table users alter id type varchar(36)',
    'column id is character varying, expected uuid',
  ],
  [
    'says "active" with a number',
    'alter table users alter is_active type integer using is_active::integer',
    'column is_active is integer, expected boolean',
  ],
  [
    'keeps days instead of times',
    'alter table users alter created_at type date',
    'column created_at is date, expected timestamp without time zone or timestamp with time zone',
  ],
  [
    'lets a column be null',
    'alter table users alter password_hash drop not null',
    'column password_hash may be null',
  ],
  [
    'demands a value that Keyward does not know',
    `alter table users add tenant text not null default ''; alter table users alter tenant drop default`,
    'column tenant must be filled, and Keyward does not know it',
  ],
  [
    'demands one whose name sounds like trouble with the network',
    `alter table users add connection_timeout text not null default '';
     alter table users alter connection_timeout drop default`,
    'column connection_timeout must be filled, and Keyward does not know it',
  ],
  [
    'demands one whose name every JavaScript object knows',
    `alter table users add constructor text not null default '';
     alter table users alter constructor drop default`,
    'column constructor must be filled, and Keyward does not know it',
  ],
  [
    'has its primary key elsewhere',
    'alter table users drop constraint users_pkey; alter table users add primary key (email)',
    'the primary key is not id',
  ],
  [
    'has a primary key of two columns',
    'alter table users drop constraint users_pkey; alter table users add primary key (id, email)',
    'the primary key is not id',
  ],
  ['has no primary key', 'alter table users drop constraint users_pkey', 'the primary key is not id'],
  [
    'is a view',
    'alter table users rename to people; create view users as select * from people',
    'it is not an ordinary table',
  ],
])('a users table that %s is refused by name and left untouched', async (_, sql, difference) => {
  await runScript(database, sql)
  await expectRefusal([difference])
})

test('a users table with addresses that differ in letter case only is refused and left untouched', async () => {
  const id = 'f00dbabe-1111-4222-8333-444455556666'
  await insertPythonAccount(database, { ...INACTIVE, id, email: MIXED_CASE.email.toUpperCase() })
  await expectRefusal(['1 e-mail address(es) stand more than once when letter case is ignored'])
})

test('every difference is named at once', async () => {
  await runScript(
    database,
    `alter table users drop updated_at;
     alter table users alter name drop not null;
     alter table users drop constraint users_pkey`,
  )
  await expectRefusal([
    'column name may be null',
    'column updated_at is missing',
    'the primary key is not id',
  ])
})

test('once its differences are put right, the table is adopted', async () => {
  await database.query('alter table users alter name drop not null')
  await expectRefusal(['column name may be null'])
  await database.query('alter table users alter name set not null')
  expect(await migrate(database)).toMatchObject({ adopted: true })
  expect(await database.query('select id from users')).toHaveLength(3)
})
