import { expect, test } from 'vitest'
import { PASSWORD, useTestApp } from '../support/test-app.js'

const app = useTestApp()

test('a person registers, logs in, reads and changes the profile, and logs out', async () => {
  const credentials = { email: 'Ada@Example.com', password: PASSWORD }
  const registered = await app.post('/api/auth/register', { ...credentials, name: ' Ada Lovelace ' })
  expect(registered.status).toBe(201)
  expect(registered.body).toEqual({
    access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
    token_type: 'bearer',
    expires_in: 604_800,
    refresh_token: expect.stringMatching(/^kwr_[\w-]{43}$/),
    user: {
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      email: 'ada@example.com',
      name: 'Ada Lovelace',
      is_active: true,
      created_at: '2099-11-22T12:00:00.000Z',
      updated_at: '2099-11-22T12:00:00.000Z',
    },
  })

  const loggedIn = await app.post('/api/auth/login', { ...credentials, email: 'ADA@example.COM' })
  expect(loggedIn.status).toBe(200)
  expect(loggedIn.body.user).toEqual(registered.body.user)
  const token: string = loggedIn.body.access_token

  const profile = await app.get('/api/auth/profile', token)
  expect(profile.status).toBe(200)
  expect(profile.body).toEqual(registered.body.user)

  const changed = await app.put('/api/auth/profile', { name: 'Augusta Ada King' }, token)
  expect(changed.status).toBe(200)
  expect(changed.body).toEqual({
    ...registered.body.user,
    name: 'Augusta Ada King',
    updated_at: expect.stringMatching(/Z$/),
  })
  expect(changed.body.updated_at > profile.body.updated_at).toBe(true)

  const loggedOut = await app.post('/api/auth/logout', undefined, token)
  expect(loggedOut.status).toBe(200)
  expect(loggedOut.body).toEqual({ message: 'Logged out' })
})
