import { describe, expect, test } from 'vitest'
import { PASSWORD } from '../support/test-app.js'
import { expectRefused, newAddress, newEmail, useAttemptsApp } from './attempts-app.js'

const { app, logIn, fail, failUntilRefused } = useAttemptsApp()

describe('one address at many accounts', () => {
  test('may fail 50 times, then waits, and is forgiven one failure a minute', async () => {
    const address = newAddress()
    expect(await failUntilRefused(newEmail, () => address)).toEqual({ failures: 50, wait: 30 })
    app.passSeconds(30)
    expect(await failUntilRefused(newEmail, () => address)).toEqual({ failures: 1, wait: 60 })
    app.passSeconds(20 * 60 + 30)
    expect((await failUntilRefused(newEmail, () => address)).failures).toBe(20)
    app.passSeconds(2 * 3_600)
    expect((await failUntilRefused(newEmail, () => address)).failures).toBe(50)
  })

  test('hinders nobody there who has logged in from it before, and nobody elsewhere', async () => {
    const [office, colleague, newcomer] = [newAddress(), await app.newUser(), await app.newUser()]
    await logIn(colleague.email, PASSWORD, office)
    await failUntilRefused(newEmail, () => office)
    expect((await logIn(colleague.email, PASSWORD, office)).status).toBe(200)
    expectRefused(await logIn(newcomer.email, PASSWORD, office), 30)
    expect((await logIn(newcomer.email, PASSWORD, newAddress())).status).toBe(200)
  })

  test('is not bought free by logging in to an account of one’s own', async () => {
    const [address, own] = [newAddress(), await app.newUser()]
    for (let i = 0; i < 49; i++) {
      await fail(1, newEmail(), address)
      if (i % 10 === 0) expect((await logIn(own.email, PASSWORD, address)).status).toBe(200)
    }
    expect(await failUntilRefused(newEmail, () => address)).toEqual({ failures: 1, wait: 30 })
  })

  test('lets any number of people log in for the first time', async () => {
    const address = newAddress()
    for (let i = 0; i < 60; i++) {
      const user = await app.newUser()
      expect((await logIn(user.email, PASSWORD, address)).status).toBe(200)
    }
  })
})
