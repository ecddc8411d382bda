import { describe, expect, onTestFinished, test } from 'vitest'
import { buildTestApp, PASSWORD, type Reply } from '../support/test-app.js'
import {
  checksDuring,
  environment,
  expectRefused,
  hashEngine,
  newAddress,
  nowOf,
  untilAnswered,
  useAttemptsApp,
  WRONG,
} from './attempts-app.js'

const { app, logIn, changePassword, fail } = useAttemptsApp()

describe('200 parallel guesses', () => {
  test('cost exactly five checks', async () => {
    const [{ email }, address] = [await app.newUser(), newAddress()]
    const replies: Reply[] = []
    const spent = await checksDuring(async () => {
      const guesses = Array.from({ length: 200 }, () => untilAnswered(() => logIn(email, WRONG, address)))
      replies.push(...(await Promise.all(guesses)))
    })
    expect(spent).toBe(5)
    expect(replies.filter(({ status }) => status === 401)).toHaveLength(5)
    for (const reply of replies.filter(({ status }) => status !== 401)) expectRefused(reply, 30)
  })

  test('cost exactly five checks on two nodes together, by log-in and change of password together', async () => {
    const other = await buildTestApp(app.database, { environment, hashEngine })
    onTestFinished(() => other.server.close().then(() => {}))
    other.passSeconds((await nowOf(app)) - (await nowOf(other)))
    const [user, address] = [await app.newUser(), newAddress()]
    const spent = await checksDuring(() =>
      Promise.all(
        Array.from({ length: 200 }, (_, i) => {
          if (i % 3 === 0) return untilAnswered(() => changePassword(user, WRONG, address))
          return untilAnswered(() => logIn(user.email, WRONG, address, i % 3 === 1 ? app : other))
        }),
      ),
    )
    expect(spent).toBe(5)
    expectRefused(await logIn(user.email, PASSWORD, address), 30)
    expectRefused(await logIn(user.email, PASSWORD, address, other), 30)
  })
})

test('any number of parallel log-ins with the right password get in', async () => {
  const [{ email }, address] = [await app.newUser(), newAddress()]
  await fail(4, email, address)
  const replies = await Promise.all(
    Array.from({ length: 12 }, () => untilAnswered(() => logIn(email, PASSWORD, address))),
  )
  expect(replies.map(({ status }) => status)).toEqual(Array(12).fill(200))
})
