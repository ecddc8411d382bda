import { describe, expect, test } from 'vitest'
import { PASSWORD, useTestApp } from '../support/test-app.js'
import { checksDuring, expectRefused, hashEngine, newAddress, useAttemptsApp, WRONG } from './attempts-app.js'
import { expectProblem } from './expect-problem.js'

const { app, logIn, changePassword, fail, failUntilRefused } = useAttemptsApp()

describe('one client at one account', () => {
  test('may fail five times, then waits 30 s, twice as long each time, and 15 minutes at most', async () => {
    const [{ email }, address] = [await app.newUser(), newAddress()]
    await fail(5, email, address)
    for (const wait of [30, 60, 120, 240, 480, 900, 900]) {
      expectRefused(await logIn(email, WRONG, address), wait)
      app.passSeconds(wait - 1)
      expectRefused(await logIn(email, PASSWORD, address), 1)
      app.passSeconds(1)
      await fail(1, email, address)
    }
  })

  test('gets in with the right password as soon as the wait is over, and then may fail as before', async () => {
    const [user, address] = [await app.newUser(), newAddress()]
    await fail(5, user.email, address)
    app.passSeconds(30)
    expect((await logIn(user.email, PASSWORD, address)).status).toBe(200)
    await fail(5, user.email, address)
    expectRefused(await logIn(user.email, PASSWORD, address), 30)
  })

  test('is forgiven one failure a day', async () => {
    const [{ email }, address] = [await app.newUser(), newAddress()]
    await fail(4, email, address)
    app.passSeconds(86_400)
    await fail(2, email, address)
    expectRefused(await logIn(email, WRONG, address), 30)
  })

  test('costs nothing when it is refused: no look-up, no hash, and no further wait', async () => {
    const [{ email }, address] = [await app.newUser(), newAddress()]
    await fail(5, email, address)
    const spent = await checksDuring(async () => {
      for (let i = 0; i < 20; i++) expectRefused(await logIn(email, PASSWORD, address), 30)
    })
    expect(spent).toBe(0)
  })

  test('does not get past the limit in another spelling of the address, by any header, or by changing the password', async () => {
    const user = await app.newUser({ email: 'strasse@bücher.example' })
    const address = newAddress()
    const spellings = ['STRASSE@bücher.example', ' strasse@XN--BCHER-KVA.example', 'Strasse@BÜCHER.example\t']
    for (const spelling of spellings) await fail(1, spelling, address)
    expectProblem(await changePassword(user, WRONG, address), 'wrong_password')
    expectProblem(await changePassword(user, WRONG, address), 'wrong_password')
    expectRefused(await changePassword(user, PASSWORD, address), 30)
    for (const spelling of [...spellings, user.email]) {
      expectRefused(await logIn(spelling, PASSWORD, address), 30)
    }
    for (const name of ['x-forwarded-for', 'x-real-ip', 'forwarded', 'cf-connecting-ip', 'client-ip']) {
      const headers = { [name]: name === 'forwarded' ? 'for=203.0.113.9' : '203.0.113.9' }
      const payload = { email: user.email, password: PASSWORD }
      const url = '/api/auth/login'
      expectRefused(await app.send({ method: 'POST', url, headers, payload, remoteAddress: address }), 30)
    }
  })

  test('shares one count where another stack has stored the address in its own spelling', async () => {
    const [user, address] = [await app.newUser(), newAddress()]
    await app.database.query('update users set email = $2 where id = $1', [user.id, 'Ägir@Bücher.example'])
    for (let i = 0; i < 3; i++) expectProblem(await changePassword(user, WRONG, address), 'wrong_password')
    await fail(2, 'Ägir@xn--bcher-kva.EXAMPLE', address)
    expectRefused(await logIn('Ägir@bücher.example', PASSWORD, address), 30)
    expectRefused(await changePassword(user, PASSWORD, address), 30)
  })

  test.for([
    ['the addresses of one IPv6 /64', '2001:db8:7:1::1', '2001:db8:7:1:ffff:ffff:ffff:ffff'],
    ['an IPv4 address and its IPv6 form', '203.0.113.77', '::ffff:203.0.113.77'],
  ] as const)('is one client under %s', async ([, first, second]) => {
    const { email } = await app.newUser()
    await fail(3, email, first)
    await fail(2, email, second)
    expectRefused(await logIn(email, PASSWORD, first), 30)
    expectRefused(await logIn(email, PASSWORD, second), 30)
  })

  test('keeps nobody out in the next /64', async () => {
    const { email } = await app.newUser()
    await fail(5, email, '2001:db8:8:1::1')
    expect((await logIn(email, PASSWORD, '2001:db8:8:2::1')).status).toBe(200)
  })
})

test('refused attempts are logged, with the address and without the account', async () => {
  const [{ email }, address] = [await app.newUser(), newAddress()]
  await failUntilRefused(
    () => email,
    () => address,
  )
  for (let i = 0; i < 50; i++) await logIn(email, WRONG, address)
  const lines = app.events('attempt_refused')
  expect(lines.length).toBeGreaterThan(0)
  expect(lines[0]).toMatchObject({ level: 'info', request_id: expect.any(String), count: 1 })
  expect(JSON.stringify(lines)).not.toContain('example.com')
})

describe('with RATE_LIMIT=off', () => {
  const unlimited = useTestApp({ environment: { RATE_LIMIT: 'off' }, hashEngine })

  test('attempts are neither counted nor refused', async () => {
    const { email } = await unlimited.newUser()
    await fail(120, email, '127.0.0.1', unlimited)
    expect(await unlimited.database.query('select from keyward_password_attempts')).toEqual([])
  })
})
