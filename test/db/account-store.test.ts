import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Account, AccountStore, CredentialStore } from '../../src/accounts/account.js'
import { createAccountStore, FIND_BY_EMAIL } from '../../src/accounts/sql.js'
import type { Database } from '../../src/db/database.js'
import { migrate } from '../../src/db/migrate.js'
import { openTestDatabase } from '../support/test-database.js'

const CREATED = new Date('2026-11-22T12:00:00.250Z')

let database: Database
let store: AccountStore & CredentialStore

beforeAll(async () => {
  database = await openTestDatabase()
  await migrate(database)
  store = createAccountStore(database)
})
afterAll(() => database.close())

let accounts = 0

async function insertAccount(email = `account-${++accounts}@example.com`): Promise<Account> {
  const account = await store.insert({
    id: randomUUID(),
    email,
    name: 'Ada',
    passwordHash: 'old hash',
    createdAt: CREATED,
  })
  if (account === null) throw new Error(`${email} is taken`)
  return account
}

const deactivate = (id: string) => database.query('update users set is_active = false where id = $1', [id])

test('of many inserts of one address in different letter case exactly one succeeds', async () => {
  const spellings = ['ada@example.com', 'Ada@example.com', 'ADA@EXAMPLE.COM', 'ada@Example.com']
  const results = await Promise.all(
    Array.from({ length: 24 }, (_, index) =>
      store.insert({
        id: randomUUID(),
        email: spellings[index % spellings.length] ?? '',
        name: `Ada ${index}`,
        passwordHash: 'hash',
        createdAt: CREATED,
      }),
    ),
  )
  const made = results.filter((account) => account !== null)
  expect(made).toHaveLength(1)
  expect(await store.findById(made[0]?.id ?? '')).toEqual(made[0])
})

test('an account is found under each spelling that is asked for, and the exact address goes first', async () => {
  const unicode = await insertAccount('ada@bücher.de')
  expect(await store.isEmailTaken(['ada@xn--bcher-kva.de', 'ada@bücher.de'])).toBe(true)
  const ascii = await insertAccount('ada@xn--bcher-kva.de')
  const found = await store.findCredentials(['ada@xn--bcher-kva.de', 'ada@bücher.de'], CREATED)
  expect(found?.account).toEqual(ascii)
  expect((await store.findCredentials(['ada@bücher.de', 'ada@xn--bcher-kva.de'], CREATED))?.account).toEqual(
    unicode,
  )
  expect(await store.isEmailTaken(['nobody@example.com'])).toBe(false)
  expect(await store.findCredentials(['nobody@example.com'], CREATED)).toBeNull()
})

describe('replacing a hash', () => {
  test('succeeds while the hash that was verified still stands', async () => {
    const { id, email } = await insertAccount()
    expect(await store.replaceHash(id, 'old hash', 'new hash')).toBe(true)
    expect((await store.findCredentials([email], CREATED))?.passwordHash).toBe('new hash')
  })

  test('does nothing once the hash has been changed by someone else', async () => {
    const { id, email } = await insertAccount()
    await database.query("update users set password_hash = 'of a new password' where id = $1", [id])
    expect(await store.replaceHash(id, 'old hash', 'new hash')).toBe(false)
    expect((await store.findCredentials([email], CREATED))?.passwordHash).toBe('of a new password')
  })

  test('leaves the time of the last change alone: the account itself has not changed', async () => {
    const { id } = await insertAccount()
    await store.replaceHash(id, 'old hash', 'new hash')
    expect((await store.findById(id))?.updatedAt).toEqual(CREATED)
  })
})

describe('renaming', () => {
  test('sets the name and the time of the change', async () => {
    const { id } = await insertAccount()
    const now = new Date('2026-11-23T08:30:00.500Z')
    const renamed = await store.rename(id, 'Augusta', now)
    expect(renamed).toMatchObject({ name: 'Augusta', createdAt: CREATED, updatedAt: now })
    expect(await store.findById(id)).toEqual(renamed)
  })

  test.each([
    ['stands still', CREATED],
    ['went back', new Date('2020-01-01T00:00:00Z')],
  ])('moves the time of the change forward each time, even when the clock %s', async (_, now) => {
    const { id } = await insertAccount()
    const times = [CREATED.getTime()]
    for (const name of ['A', 'B', 'C']) {
      times.push((await store.rename(id, name, now))?.updatedAt.getTime() ?? Number.NaN)
    }
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b))
    expect(times).toHaveLength(4)
  })

  test('several at once all move the time of the change', async () => {
    const { id } = await insertAccount()
    const names = ['A', 'B', 'C', 'D', 'E', 'F']
    const renamed = await Promise.all(names.map((name) => store.rename(id, name, CREATED)))
    expect(new Set(renamed.map((account) => account?.updatedAt.getTime())).size).toBe(names.length)
  })

  test('is refused for an account that is not active, and for one that does not exist', async () => {
    const { id } = await insertAccount()
    await deactivate(id)
    expect(await store.rename(id, 'Augusta', new Date())).toBeNull()
    expect(await store.findById(id)).toMatchObject({ name: 'Ada', isActive: false, updatedAt: CREATED })
    expect(await store.rename(randomUUID(), 'Augusta', new Date())).toBeNull()
  })
})

test.each(['timestamp without time zone', 'timestamp with time zone'])(
  'times in a %s are the same UTC instants, whatever the time zone of the connection',
  async (type) => {
    const own = await openTestDatabase()
    try {
      await migrate(own)
      for (const column of ['created_at', 'updated_at']) {
        await own.query(`alter table users alter ${column} type ${type} using ${column} at time zone 'UTC'`)
      }
      const [{ name } = { name: '' }] = await own.query<{ name: string }>('select current_database() as name')
      for (const zone of ['UTC', 'Asia/Kolkata', 'America/St_Johns']) {
        await own.query(`alter database "${name}" set timezone to '${zone}'`)
        await own.query(`set timezone to '${zone}'`)
        const account = await createAccountStore(own).insert({
          id: randomUUID(),
          email: `${zone.toLowerCase().replace('/', '-')}@example.com`,
          name: 'Ada',
          passwordHash: 'hash',
          createdAt: CREATED,
        })
        expect(account).toMatchObject({ createdAt: CREATED, updatedAt: CREATED })
        const later = new Date('2027-07-01T23:59:59.999Z')
        const renamed = await createAccountStore(own).rename(account?.id ?? '', 'Augusta', later)
        expect(renamed).toMatchObject({ createdAt: CREATED, updatedAt: later })
        // As text, and so past any conversion on the way here.
        const [row] = await own.query<{ text: string }>(
          type === 'timestamp without time zone'
            ? 'select created_at::text as text from users where id = $1'
            : "select (created_at at time zone 'UTC')::text as text from users where id = $1",
          [account?.id],
        )
        expect(row?.text).toBe('2026-11-22 12:00:00.25')
      }
    } finally {
      await own.close()
    }
  },
)

test('looking up an address uses the index, whether asked for one spelling or two', async () => {
  await database.query(`
    insert into users (id, email, name, password_hash)
    select gen_random_uuid(), 'many-' || n || '@example.com', 'Many', 'hash' from generate_series(1, 5000) as n`)
  await database.query('analyze users')
  for (const keys of [['many-77@example.com'], ['ada@xn--bcher-kva.de', 'ada@bücher.de']]) {
    const [row] = await database.query<{ 'QUERY PLAN': unknown }>(`explain (format json) ${FIND_BY_EMAIL}`, [
      keys,
      keys[0],
    ])
    const plan = JSON.stringify(row?.['QUERY PLAN'])
    expect(plan).toContain('"Index Name":"keyward_users_email"')
    expect(plan).not.toContain('Seq Scan')
  }
})
