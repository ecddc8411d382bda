import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.js'
import { Refusal } from '../../src/errors.js'
import { openTestDatabase } from '../support/test-database.js'

let database: Database

beforeAll(async () => {
  database = await openTestDatabase()
  await database.query('create table notes (text varchar(10) not null unique)')
})
afterAll(() => database.close())
beforeEach(async () => {
  await database.query('truncate notes')
})

const readNotes = async (): Promise<string[]> => {
  const rows = await database.query<{ text: string }>('select text from notes order by text')
  return rows.map(({ text }) => text)
}

test('what a transaction has written stays once its work has succeeded', async () => {
  const result = await database.transaction(async (transaction) => {
    await transaction.query('insert into notes values ($1)', ['one'])
    await transaction.query('insert into notes values ($1)', ['two'])
    return 'done'
  })
  expect(result).toBe('done')
  expect(await readNotes()).toEqual(['one', 'two'])
})

test('nothing that a transaction has written stays when its work fails, and the failure comes through', async () => {
  const failure = new Error('changed my mind')
  const attempt = database.transaction(async (transaction) => {
    await transaction.query("insert into notes values ('one')")
    throw failure
  })
  await expect(attempt).rejects.toBe(failure)
  expect(await readNotes()).toEqual([])
})

test.each(['no connection_id here', 'a timeout of my own', 'the certificate is missing'])(
  'a failure of the work that says "%s" is not mistaken for a database that is away',
  async (message) => {
    const attempt = database.transaction(async (transaction) => {
      await transaction.query("insert into notes values ('one')")
      throw new Error(message)
    })
    await expect(attempt).rejects.not.toBeInstanceOf(Refusal)
    await expect(attempt).rejects.toThrow(message)
    expect(await readNotes()).toEqual([])
  },
)

test('an error of SQL inside a transaction undoes all of it', async () => {
  const attempt = database.transaction(async (transaction) => {
    await transaction.query("insert into notes values ('one')")
    await transaction.query("insert into notes values ('one')")
  })
  await expect(attempt).rejects.toMatchObject({ code: '23505' })
  expect(await readNotes()).toEqual([])
})

test.each([
  ['a value that is there already', "insert into notes values ('one'), ('one')", '23505'],
  ['a value that is too long', "insert into notes values ('eleven char')", '22001'],
  ['a missing value', 'insert into notes values (null)', '23502'],
  ['a table that does not exist', 'select * from nowhere', '42P01'],
  ['a statement that makes no sense', 'selekt 1', '42601'],
])('SQL that fails for %s says so with its code, and the database goes on', async (_, sql, code) => {
  await expect(database.query(sql)).rejects.toMatchObject({ name: 'error', code })
  expect(await database.query('select 1 as one')).toEqual([{ one: 1 }])
})

test('parameters are values and never SQL', async () => {
  const text = "'); drop--"
  await database.query('insert into notes values ($1)', [text])
  expect(await readNotes()).toEqual([text])
})

test('many queries and transactions at once all get their turn', async () => {
  const numbers = Array.from({ length: 40 }, (_, index) => String(index).padStart(2, '0'))
  await Promise.all(
    numbers.map((number, index) =>
      index % 2 === 0
        ? database.query('insert into notes values ($1)', [number])
        : database.transaction((transaction) => transaction.query('insert into notes values ($1)', [number])),
    ),
  )
  expect(await readNotes()).toEqual(numbers)
})

describe('a statement that is prepared once', () => {
  const TEXT = 'select text from notes where text = any($1)'
  const find = (text = TEXT) => database.query(text, [['one', 'two']], { prepare: true })

  beforeEach(async () => {
    await database.query("insert into notes values ('one')")
  })

  test('finds what there is, the first time and later', async () => {
    for (let i = 0; i < 3; i++) expect(await find()).toEqual([{ text: 'one' }])
    await database.query("insert into notes values ('two')")
    expect(await find()).toHaveLength(2)
  })

  test('still answers when the connection has lost it, as behind a transaction pooler', async () => {
    await find()
    await database.query('deallocate all')
    expect(await find()).toEqual([{ text: 'one' }])
    expect(await find()).toEqual([{ text: 'one' }])
  })

  test('still answers when the connection has one of the same name already', async () => {
    const other = await openTestDatabase()
    const text = 'select 1 as one'
    const name = `keyward_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`
    await other.query(`prepare ${name} as select 2 as one`)
    expect(await other.query(text, [], { prepare: true })).toEqual([{ one: 1 }])
    await other.close()
  })

  test('still answers when the table has changed its shape', async () => {
    const other = await openTestDatabase()
    await other.query('create table notes (text text)')
    const all = (): Promise<object[]> => other.query('select * from notes', [], { prepare: true })
    expect(await all()).toEqual([])
    await other.query('alter table notes add column more int')
    await other.query("insert into notes values ('one', 1)")
    expect(await all()).toEqual([{ text: 'one', more: 1 }])
    await other.close()
  })
})
