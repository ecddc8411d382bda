import { describe, expect, test } from 'vitest'
import { PASSWORD } from '../support/test-app.js'
import { expectRefused, newAddress, newEmail, useAttemptsApp } from './attempts-app.js'

const { app, logIn, fail, failUntilRefused } = useAttemptsApp()
const unlock = (who: string) => app.runUserCommand({ action: 'unlock', who, password: null })

describe('an operator who unlocks an account', () => {
  test('lets its owner try again at once, wherever the failures came from', async () => {
    const [{ email }, first, second] = [await app.newUser(), newAddress(), newAddress()]
    await fail(5, email, first)
    await fail(5, email, second)
    expectRefused(await logIn(email, PASSWORD, newAddress()), 30)
    const report = await unlock(email.toUpperCase())
    expect(report.message).toBe(`The failed attempts are forgotten: ${email}.`)
    for (const address of [first, second, newAddress()]) {
      expect((await logIn(email, PASSWORD, address)).status).toBe(200)
    }
  })

  test('begins all its counts anew', async () => {
    const [user, address] = [await app.newUser(), newAddress()]
    await fail(5, user.email, address)
    await unlock(user.id)
    await fail(5, user.email, address)
    expectRefused(await logIn(user.email, PASSWORD, address), 30)
    await fail(5, user.email, newAddress())
    expectRefused(await logIn(user.email, PASSWORD, newAddress()), 30)
  })

  test('reaches one that another stack has stored in its own spelling', async () => {
    const [user, address] = [await app.newUser(), newAddress()]
    await app.database.query('update users set email = $2 where id = $1', [user.id, 'Ödön@Bücher.example'])
    await fail(5, 'ödön@bücher.example', address)
    await unlock(user.id)
    expect((await logIn('Ödön@Bücher.example', PASSWORD, address)).status).toBe(200)
  })

  test('leaves alone what is counted at other accounts and by address, and the places that are known', async () => {
    const [user, other, home] = [await app.newUser(), await app.newUser(), newAddress()]
    const [busy, abroad] = [newAddress(), newAddress()]
    await logIn(user.email, PASSWORD, home)
    await fail(5, other.email, abroad)
    await failUntilRefused(newEmail, () => busy)
    await fail(1, user.email, abroad)
    await unlock(user.email)
    expectRefused(await logIn(other.email, PASSWORD, abroad), 30)
    expectRefused(await logIn(user.email, PASSWORD, busy), 30)
    await failUntilRefused(() => user.email, newAddress)
    expect((await logIn(user.email, PASSWORD, home)).status).toBe(200)
  })

  test('is told when there was nothing to forget', async () => {
    const { email } = await app.newUser()
    expect((await unlock(email)).message).toBe(`No failed attempts were counted: ${email}.`)
  })
})
