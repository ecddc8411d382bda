import { describe, expect, test } from 'vitest'
import { QUIET_FEED, useTestApp } from '../support/test-app.js'
import { expectProblem } from './expect-problem.js'
import { disable, readHash, remove } from './users-table.js'

const app = useTestApp({ environment: QUIET_FEED })

describe('reading the profile', () => {
  test('shows exactly the six fields of the own account', async () => {
    const user = await app.newUser({ name: 'Grace' })
    const { status, body, headers } = await user.get('/api/auth/profile')
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('application/json; charset=utf-8')
    expect(body).toStrictEqual({
      id: user.id,
      email: user.email,
      name: 'Grace',
      is_active: true,
      created_at: '2099-11-22T12:00:00.000Z',
      updated_at: '2099-11-22T12:00:00.000Z',
    })
  })

  test('answers HEAD like GET, without the body', async () => {
    const { token } = await app.newUser()
    const headers = { authorization: `Bearer ${token}` }
    const get = await app.send({ method: 'GET', url: '/api/auth/profile', headers })
    const head = await app.send({ method: 'HEAD', url: '/api/auth/profile', headers })
    expect(head.status).toBe(200)
    expect(head.text).toBe('')
    const sameButIds = (reply: typeof head) => ({ ...reply.headers, date: '', 'x-request-id': '' })
    expect(sameButIds(head)).toStrictEqual(sameButIds(get))
    expect((await app.send({ method: 'HEAD', url: '/api/auth/profile' })).status).toBe(401)
  })

  test('ends when the account is gone or disabled', async () => {
    const gone = await app.newUser()
    await remove(app.database, gone.id)
    expectProblem(await gone.get('/api/auth/profile'), 'account_not_found')
    const disabled = await app.newUser()
    await disable(app.database, disabled.id)
    expectProblem(await disabled.get('/api/auth/profile'), 'invalid_token')
  })
})

describe('changing the profile', () => {
  test('renames the account and moves updated_at, also twice within one tick of the clock', async () => {
    const user = await app.newUser({ name: 'First' })
    const before = (await user.get('/api/auth/profile')).body
    const second = await user.put('/api/auth/profile', { name: '  Seco\u0301nd  ' })
    expect(second.status).toBe(200)
    expect(second.body).toStrictEqual({
      ...before,
      name: 'Secónd',
      updated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    })
    const third = await user.put('/api/auth/profile', { name: 'Third' })
    expect(second.body.updated_at > before.updated_at).toBe(true)
    expect(third.body.updated_at > second.body.updated_at).toBe(true)
    expect((await user.get('/api/auth/profile')).body).toStrictEqual(third.body)
  })

  test.for([{}, { name: null }, { nickname: 'Countess' }])('changes nothing for %j', async (change) => {
    const user = await app.newUser()
    const before = (await user.get('/api/auth/profile')).body
    const logged = app.logLines.length
    const reply = await user.put('/api/auth/profile', change)
    expect(reply.status).toBe(200)
    expect(reply.body).toStrictEqual(before)
    expect(app.logLines).toHaveLength(logged)
  })

  test.for([
    ['', 'must not be empty'],
    [' \u3000', 'must not be empty'],
    ['a\u0007b', 'must not contain control characters'],
    ['x'.repeat(201), 'must have at most 200 characters'],
  ])('refuses a name with the reason: %j', async ([name, message]) => {
    const user = await app.newUser()
    const before = (await user.get('/api/auth/profile')).body
    const reply = await user.put('/api/auth/profile', { name })
    expectProblem(reply, 'validation_failed', [{ field: 'name', message: message! }])
    expect((await user.get('/api/auth/profile')).body).toStrictEqual(before)
  })

  test.for([{ name: 'Too Late' }, {}])('ends when the account is gone or disabled: %j', async (change) => {
    const gone = await app.newUser()
    await remove(app.database, gone.id)
    expectProblem(await gone.put('/api/auth/profile', change), 'account_not_found')
    const disabled = await app.newUser({ name: 'Still Here' })
    await disable(app.database, disabled.id)
    expectProblem(await disabled.put('/api/auth/profile', change), 'invalid_token')
    const rows = await app.database.query('select name from users where id = $1', [disabled.id])
    expect(rows).toStrictEqual([{ name: 'Still Here' }])
  })

  test('assigns nothing but the name', async () => {
    const user = await app.newUser()
    const before = (await user.get('/api/auth/profile')).body
    const hash = await readHash(app.database, user.id)
    const reply = await user.put('/api/auth/profile', {
      name: 'Renamed',
      id: '00000000-0000-4000-8000-000000000000',
      email: 'other@example.com',
      password: 'An0ther-password!',
      password_hash: 'x',
      is_active: false,
      role: 'admin',
      created_at: '2000-01-01T00:00:00Z',
      updated_at: '2000-01-01T00:00:00Z',
    })
    expect(reply.status).toBe(200)
    expect(reply.body).toStrictEqual({ ...before, name: 'Renamed', updated_at: expect.any(String) })
    expect(reply.body.updated_at > before.updated_at).toBe(true)
    expect(await readHash(app.database, user.id)).toBe(hash)
  })

  // CVE-2025-61928: a user id in the body chose whose data was changed.
  test.for(['id', 'sub', 'userId', 'user_id', 'user', 'email'])(
    'is always about the owner of the token, whatever %s the body or the query names',
    async (field) => {
      const victim = await app.newUser({ name: 'Victim' })
      const before = (await victim.get('/api/auth/profile')).body
      for (const value of [victim.id, { id: victim.id }, victim.email]) {
        const attacker = await app.newUser()
        const query = `?${field}=${encodeURIComponent(typeof value === 'string' ? value : value.id)}`
        const body = { [field]: value, name: 'Attacker' }
        const reply = await attacker.put(`/api/auth/profile${query}`, body)
        expect(reply.status).toBe(200)
        expect(reply.body.id).toBe(attacker.id)
        expect((await attacker.get(`/api/auth/profile${query}`)).body.id).toBe(attacker.id)
        expect((await attacker.post(`/api/auth/logout${query}`, body)).status).toBe(200)
        expect(app.events('logout').at(-1).user_id).toBe(attacker.id)
      }
      expect((await victim.get('/api/auth/profile')).body).toStrictEqual(before)
    },
  )
})

test('logging out answers with a message and asks nothing of the account', async () => {
  const user = await app.newUser()
  await remove(app.database, user.id)
  const { status, body } = await user.post('/api/auth/logout')
  expect(status).toBe(200)
  expect(body).toStrictEqual({ message: 'Logged out' })
})
