import { describe, expect, onTestFinished, test } from 'vitest'
import { FIND_BY_EMAIL } from '../../src/accounts/sql.js'
import { createAttemptKeys } from '../../src/attempts/attempt.js'
import { Refusal } from '../../src/errors.js'
import { PASSWORD, SECRET } from '../support/test-app.js'
import { waitUntil } from '../support/wait-until.js'
import { expectRefused, holdHashes, newAddress, newEmail, useAttemptsApp, WRONG } from './attempts-app.js'
import { expectProblem } from './expect-problem.js'

const { app, logIn, fail } = useAttemptsApp()

/** Failures counted at this account from this machine. */
async function countAttempts(email: string): Promise<number> {
  const { pair } = createAttemptKeys(SECRET)(email, '127.0.0.1')
  const [row] = await app.database.query<{ failures: number }>(
    `select round(extract(epoch from forgotten_at - counted_at) / 86400)::int as failures
       from keyward_password_attempts where key = $1`,
    [pair],
  )
  return row?.failures ?? 0
}

async function countRows(): Promise<number> {
  return (await app.database.query('select 1 from keyward_password_attempts')).length
}

/** Every statement with this in its text fails while `work` goes on. */
async function whileBroken(
  part: string,
  work: () => Promise<void>,
  failure = new Error('broken'),
): Promise<void> {
  const { query } = app.database
  app.database.query = async (text, ...rest) => {
    if (text.includes(part)) throw failure
    return query(text, ...rest) as Promise<never>
  }
  await work()
  app.database.query = query
}

describe('an attempt without an outcome', () => {
  test('does not count when nothing was compared, because the database was away', async () => {
    const [user, address] = [await app.newUser(), newAddress()]
    const isAway = new Refusal('database_unavailable', { retryAfterSeconds: 1 })
    const logInInVain = async () => {
      for (let i = 0; i < 8; i++)
        expectProblem(await logIn(user.email, PASSWORD, address), 'database_unavailable')
    }
    await whileBroken(FIND_BY_EMAIL, logInInVain, isAway)
    expect(app.events('attempt_refused')).toHaveLength(0)
    await fail(5, user.email, address)
    expectRefused(await logIn(user.email, PASSWORD, address), 30)
    expect(app.events('attempt_refused')).toHaveLength(1)
  })

  test('does not count when its client hung up while it waited for its turn', async () => {
    const { held, release } = holdHashes()
    onTestFinished(release)
    const [user, url] = [await app.newUser(), await app.server.listen({ port: 0, host: '127.0.0.1' })]
    const hangUp = new AbortController()
    const send = (signal: AbortSignal) =>
      fetch(`${url}/api/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email: user.email, password: WRONG }),
        signal,
      })
    // All turns are taken, so that the attempt is counted and then waits.
    const others = [newAddress(), newAddress()].map((address) => logIn(newEmail(), WRONG, address))
    await waitUntil('two are being compared', () => held() === 2)
    const waiting = send(hangUp.signal).catch(() => {})
    await waitUntil('it is counted', async () => (await countAttempts(user.email)) === 1)
    hangUp.abort()
    await waiting
    await waitUntil('it is given back', async () => (await countAttempts(user.email)) === 0)
    release()
    for (const reply of others) expect((await reply).status).toBe(401)
    await fail(5, user.email, '127.0.0.1')
    expectRefused(await logIn(user.email, PASSWORD, '127.0.0.1'), 30)
  })

  test('leaves nothing in the database, whatever address it was for', async () => {
    const [email, address] = [newEmail(), newAddress()]
    await fail(1, email, address)
    const before = await countRows()
    await whileBroken(FIND_BY_EMAIL, async () => {
      for (const name of [email, newEmail(), newEmail()]) {
        expect((await logIn(name, WRONG, address)).status).toBe(500)
      }
      expect((await logIn(newEmail(), WRONG, newAddress())).status).toBe(500)
    })
    expect(await countRows()).toBe(before)
    await fail(4, email, address)
    expectRefused(await logIn(email, WRONG, address), 30)
  })

  test('counts when it cannot be given back, and lets nobody in', async () => {
    const [user, address] = [await app.newUser(), newAddress()]
    await whileBroken('given_back', async () => {
      for (let i = 0; i < 5; i++) expect((await logIn(user.email, PASSWORD, address)).status).toBe(500)
    })
    expectRefused(await logIn(user.email, PASSWORD, address), 30)
    app.passSeconds(30)
    expect((await logIn(user.email, PASSWORD, address)).status).toBe(200)
  })
})
