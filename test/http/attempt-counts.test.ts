import { describe, expect, onTestFinished, test } from 'vitest'
import { purgeAttempts } from '../../src/attempts/purge.js'
import { migrate } from '../../src/db/migrate.js'
import { buildTestApp, NOW, PASSWORD } from '../support/test-app.js'
import { openTestDatabase } from '../support/test-database.js'
import {
  environment,
  expectRefused,
  hashEngine,
  newAddress,
  newEmail,
  nowOf,
  useAttemptsApp,
  WRONG,
} from './attempts-app.js'
import { expectProblem } from './expect-problem.js'
import { disable } from './users-table.js'

const { app, logIn, fail, failUntilRefused } = useAttemptsApp()

describe('the counts', () => {
  test('survive a restart, and nobody can read an account or an address from them', async () => {
    const [user, address] = [await app.newUser(), '203.0.113.201']
    await logIn(user.email, PASSWORD, address)
    await fail(5, user.email, address)
    const restarted = await buildTestApp(app.database, { environment, hashEngine })
    onTestFinished(() => restarted.server.close().then(() => {}))
    restarted.passSeconds((await nowOf(app)) - (await nowOf(restarted)))
    expectRefused(await logIn(user.email, PASSWORD, address, restarted), 30)
    const rows = await app.database.query(
      `select encode(key, 'escape') as text, length(key) from keyward_password_attempts
       union all select encode(key, 'escape'), length(key) from keyward_known_places`,
    )
    expect(new Set((rows as { length: number }[]).map(({ length }) => length))).toEqual(new Set([32]))
    expect(JSON.stringify(rows)).not.toMatch(/203\.0\.113|example\.com/)
  })

  test('go once they limit nobody any more', async () => {
    const database = await openTestDatabase()
    await migrate(database)
    const server = await buildTestApp(database, { environment, hashEngine })
    onTestFinished(async () => {
      await server.server.close()
      await database.close()
    })
    const { email } = await server.newUser()
    await logIn(email, PASSWORD, newAddress(), server)
    const fresh = newAddress()
    await fail(5, email, fresh, server)
    const count = async () => {
      const [row] = await database.query<{ count: number }>(
        `select (select count(*) from keyward_password_attempts)::int
              + (select count(*) from keyward_known_places)::int as count`,
      )
      return row!.count
    }
    const purgeAfter = (seconds: number) => purgeAttempts(database, () => NOW + seconds * 1000)
    expect(await count()).toBe(3 + 2)
    // Of the address after five minutes; of the pair and the account after five days; then the places.
    const removed = []
    for (const seconds of [3_601 + 301, 3_601 + 5 * 86_400, 3_602 + 90 * 86_400]) {
      removed.push(await purgeAfter(seconds))
    }
    expect(removed).toEqual([1, 2, 2])
    expect(await count()).toBe(0)
  })

  test('do not grow by attempts that are refused', async () => {
    const address = newAddress()
    await failUntilRefused(newEmail, () => address)
    const count = async () => (await app.database.query('select from keyward_password_attempts')).length
    const before = await count()
    for (let i = 0; i < 20; i++) expectRefused(await logIn(newEmail(), WRONG, address), 30)
    expect(await count()).toBe(before)
  })

  test('hold nobody longer than the wait when the clock is set back', async () => {
    const [user, address] = [await app.newUser(), newAddress()]
    await fail(5, user.email, address)
    app.passSeconds(-40)
    expectRefused(await logIn(user.email, PASSWORD, address), 70)
    app.passSeconds(-7_200)
    await fail(1, user.email, address)
    expectRefused(await logIn(user.email, PASSWORD, address), 60)
    app.passSeconds(60)
    expect((await logIn(user.email, PASSWORD, address)).status).toBe(200)
    app.passSeconds(7_180)
  })

  test('of a right password are given back even when its account is disabled', async () => {
    const [user, address] = [await app.newUser(), newAddress()]
    await disable(app.database, user.id)
    for (let i = 0; i < 12; i++) expectProblem(await logIn(user.email, PASSWORD, address), 'account_disabled')
  })
})
