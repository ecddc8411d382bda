import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAccountStore, LIST_HASH_BEGINNINGS } from '../../src/accounts/sql.js'
import type { Database } from '../../src/db/database.js'
import { migrate } from '../../src/db/migrate.js'
import { openTestDatabase } from '../support/test-database.js'

const TAIL = 'CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'

let database: Database

beforeAll(async () => {
  database = await openTestDatabase()
  await migrate(database)
})
afterAll(() => database.close())

/** Accounts with these hashes; a `*` makes each of `count` another one. */
async function insertHashes(hash: string, count = 1): Promise<void> {
  await database.query(
    `insert into users (id, email, name, password_hash)
     select gen_random_uuid(), gen_random_uuid() || '@example.com', 'Many', replace($1, '*', md5(n::text))
       from generate_series(1, $2::int) as n`,
    [hash, count],
  )
}

test('the beginnings of all hashes are listed once each, and nothing of what is not a known format', async () => {
  const store = createAccountStore(database)
  expect(await store.listHashBeginnings()).toEqual([])

  for (const variant of ['2b$12', '2b$10', '2a$12', '2y$09']) await insertHashes(`$${variant}$*${TAIL}`, 3)
  await insertHashes('$bcrypt-sha256$v=2,t=2b,r=12$*$digest', 3)
  await insertHashes('$bcrypt-sha256$2a,12$*$digest', 3)
  await insertHashes('$argon2id$v=19$m=65536,t=3,p=4$*$digest', 3)
  for (const other of [
    '',
    '!',
    '*',
    '$2x$12$*',
    '$2b$',
    'pbkdf2_sha256$260000$*$abc',
    '$argon2i$v=19$m=8,t=1,p=1$*$a',
  ]) {
    await insertHashes(other, 3)
  }
  expect(await store.listHashBeginnings()).toEqual([
    '$2a$12',
    '$2b$10',
    '$2b$12',
    '$2y$09',
    '$argon2id$v=19$m=65536,t=3,p=4',
    '$bcrypt-sha256$2a,12',
    '$bcrypt-sha256$v=2,t=2b,r=12',
  ])
})

test('they are found through the index, without reading the table', async () => {
  await insertHashes(`$2b$12$*${TAIL}`, 5_000)
  await database.query('analyze users')
  const [row] = await database.query<{ 'QUERY PLAN': unknown }>(
    `explain (format json) ${LIST_HASH_BEGINNINGS}`,
  )
  const plan = JSON.stringify(row?.['QUERY PLAN'])
  expect(plan).toContain('"Index Name":"keyward_users_hash_kind"')
  expect(plan).not.toContain('Seq Scan')
})
