import { describe, expect, test } from 'vitest'
import { PASSWORD, type Reply } from '../support/test-app.js'
import { checksDuring, expectRefused, newAddress, newEmail, useAttemptsApp, WRONG } from './attempts-app.js'
import { expectProblem } from './expect-problem.js'

const { app, logIn, changePassword, fail, failUntilRefused } = useAttemptsApp()

describe('a victim whose account is attacked from many addresses', () => {
  test('gets in at the first try where they have logged in before, and strangers do not', async () => {
    const [user, home] = [await app.newUser(), newAddress()]
    expect((await logIn(user.email, PASSWORD, home)).status).toBe(200)
    let answered = 0
    for (let second = 0; second < 60; second += 6) {
      for (let i = 0; i < 100; i++) {
        if ((await logIn(user.email, WRONG, newAddress())).status === 401) answered++
      }
      expect((await logIn(user.email, PASSWORD, home)).status).toBe(200)
      app.passSeconds(6)
    }
    // Ten at once, and one after 30 s.
    expect(answered).toBe(11)
    expectProblem(await logIn(user.email, PASSWORD, newAddress()), 'too_many_attempts')
  })

  test('gets in where they registered, and where they changed the password', async () => {
    const [user, elsewhere] = [await app.newUser(), newAddress()]
    expect((await changePassword(user, PASSWORD, elsewhere)).status).toBe(200)
    await failUntilRefused(() => user.email, newAddress)
    for (const address of ['127.0.0.1', elsewhere]) {
      expect((await logIn(user.email, 'N3w-horse!staple', address)).status).toBe(200)
    }
  })

  test('may mistype there as if there were no attack, but no more than that', async () => {
    const [user, home] = [await app.newUser(), newAddress()]
    await logIn(user.email, PASSWORD, home)
    await failUntilRefused(() => user.email, newAddress)
    await fail(5, user.email, home)
    expectRefused(await logIn(user.email, PASSWORD, home), 30)
  })

  test('is known at a place for 90 days after the last log-in from there', async () => {
    const [user, early, late] = [await app.newUser(), newAddress(), newAddress()]
    for (const address of [early, late]) await logIn(user.email, PASSWORD, address)
    app.passSeconds(60 * 86_400)
    await logIn(user.email, PASSWORD, late)
    app.passSeconds(30 * 86_400)
    await failUntilRefused(() => user.email, newAddress)
    expectProblem(await logIn(user.email, PASSWORD, early), 'too_many_attempts')
    expect((await logIn(user.email, PASSWORD, late)).status).toBe(200)
  })

  test('does not give strangers new attempts by logging in', async () => {
    const [user, home, abroad] = [await app.newUser(), newAddress(), newAddress()]
    await logIn(user.email, PASSWORD, home)
    for (let i = 0; i < 9; i++) await fail(1, user.email, newAddress())
    for (const address of [home, home, abroad]) {
      expect((await logIn(user.email, PASSWORD, address)).status).toBe(200)
    }
    expect(await failUntilRefused(() => user.email, newAddress)).toEqual({ failures: 1, wait: 30 })
  })
})

describe('strangers at one account, together', () => {
  test('may fail ten times, then wait up to an hour, and after 100 failures a day', async () => {
    const { email } = await app.newUser()
    for (let i = 0; i < 10; i++) await fail(1, email, newAddress())
    const waits: number[] = []
    while (waits.length < 150 && waits.at(-1) !== 86_400) {
      const { wait } = await failUntilRefused(() => email, newAddress)
      waits.push(wait)
      app.passSeconds(wait)
    }
    expect(waits.slice(0, 9)).toEqual([30, 60, 120, 240, 480, 960, 1920, 3600, 3600])
    expect(waits.at(-1)).toBe(86_400)
    // 10 and one after each wait but the last: what was forgotten meanwhile comes on top of the 100.
    expect(10 + waits.length - 1).toBeLessThanOrEqual(104)
    const before = await failUntilRefused(() => email, newAddress)
    expect(before).toEqual({ failures: 1, wait: 86_400 })
  })

  test('share the count of an account that does not exist, with the same answers at every step', async () => {
    const [known, unknown] = [await app.newUser(), newEmail()]
    // The same for all requests of one client, whatever they are for.
    const own = { date: '', 'x-request-id': '', ratelimit: '' }
    const headersOf = ({ headers }: Reply) => ({ ...headers, ...own })
    const bodyOf = ({ body }: Reply) => ({ ...body, request_id: '' })
    for (let i = 0; i < 18; i++) {
      const address = newAddress()
      const replies: Reply[] = []
      const work = []
      for (const email of [known.email, unknown]) {
        work.push(await checksDuring(async () => replies.push(await logIn(email, WRONG, address))))
      }
      const [first, second] = replies as [Reply, Reply]
      expect(first.status).toBe(i < 10 || i === 14 ? 401 : 429)
      expect(bodyOf(second)).toEqual(bodyOf(first))
      expect(headersOf(second)).toEqual(headersOf(first))
      expect(second.text).toHaveLength(first.text.length)
      expect(work[0]).toBe(work[1])
      if (i === 13) app.passSeconds(30)
    }
  })
})
