import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { openServerDatabase } from '../../src/db/open-server.js'
import { registerAda, call, ADA } from '../support/call.js'
import { startKeyward } from '../support/keyward-process.js'
import { createServerDatabase } from '../support/test-database.js'

async function newDatabase(): Promise<string> {
  const { url, drop } = await createServerDatabase()
  onTestFinished(drop)
  return url
}

/** Locks every account until the test ends. */
async function lockAccounts(url: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('begin')
  await client.query('select * from users for update')
  return () => client.end()
}

test('requests that wait for a locked account are given up, leave the others alone and let the server stop', async () => {
  const databaseUrl = await newDatabase()
  const keyward = await startKeyward({ env: { DATABASE_URL: databaseUrl } })
  const token = await registerAda(keyward)
  const unlock = await lockAccounts(databaseUrl)
  const change = { current_password: ADA.password, new_password: 'N3w-horse!battery' }
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => call(keyward, 'POST /api/auth/password', { token, body: change })),
  )
  expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(503))
  expect((await call(keyward, 'GET /api/auth/profile', { token })).status).toBe(200)
  expect(await keyward.stop()).toBe(0)
  await unlock()
})

test('a transaction has one deadline for all its statements, unless it may take long', async () => {
  const database = openServerDatabase(await newDatabase(), () => {})
  onTestFinished(() => database.close())
  const sleepTwice = async (transaction: { query(sql: string): Promise<unknown> }): Promise<string> => {
    await transaction.query('select pg_sleep(1.2)')
    await transaction.query('select pg_sleep(1.2)')
    return 'done'
  }
  await expect(database.transaction(sleepTwice)).rejects.toMatchObject({ code: 'database_unavailable' })
  expect(await database.transaction(sleepTwice, { mayTakeLong: true })).toBe('done')
})
