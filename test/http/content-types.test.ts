import { describe, expect, test } from 'vitest'
import { PASSWORD, type Reply, useTestApp } from '../support/test-app.js'
import { expectProblem } from './expect-problem.js'
import { countUsers } from './users-table.js'

const app = useTestApp()

const registration = { email: 'types@example.com', name: 'Somebody', password: PASSWORD }

const sendAs = (url: string, type: string | undefined, payload: string, token?: string): Promise<Reply> =>
  app.send({
    method: url.endsWith('profile') ? 'PUT' : 'POST',
    url,
    headers: {
      ...(type !== undefined && { 'content-type': type }),
      ...(token && { authorization: `Bearer ${token}` }),
    },
    payload: Buffer.from(payload),
  })

describe('a route that needs a body', () => {
  test.for([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'application/json; charset="utf-8"',
  ])('reads it under %j', async (type) => {
    const reply = await sendAs(
      '/api/auth/login',
      type,
      JSON.stringify({ email: 'a@example.com', password: 'x' }),
    )
    expectProblem(reply, 'invalid_credentials')
  })

  test.for([
    undefined,
    '',
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
    'application/json5',
    'application/json-patch+json',
    'application/problem+json',
    'application/vnd.api+json',
    'application/xml',
    'application/octet-stream',
    'application/json; charset=latin1',
    'application/json; charset=utf-16',
    'application/json; charset=utf-8; charset=latin1',
    'application/json; foo=bar',
    'application/json\t; charset=latin1',
    'application/json\u00A0',
    'application/ json',
    'application/json, text/plain',
    'text/plain, application/json',
    'application/json; charset=utf-7;',
    'x-application/json',
    'application',
    '/',
    ';',
    '*/*',
  ])('refuses it under %j, and writes nothing', async (type) => {
    const user = await app.newUser({ name: 'Unchanged' })
    const before = await countUsers(app.database)
    const payload = JSON.stringify(registration)
    expectProblem(await sendAs('/api/auth/register', type, payload), 'unsupported_media_type')
    expectProblem(await sendAs('/api/auth/login', type, payload), 'unsupported_media_type')
    expectProblem(await sendAs('/api/auth/profile', type, payload, user.token), 'unsupported_media_type')
    expect(await countUsers(app.database)).toBe(before)
    expect((await user.get('/api/auth/profile')).body.name).toBe('Unchanged')
  })

  // CVE-2025-32442, CVE-2026-25223: spellings that were parsed as JSON without their schema being applied.
  test.for([
    'application/json\t;charset=utf-8',
    'application/json ;charset=utf-8',
    'application/json\ta',
    'application/json ; a',
    'APPLICATION/JSON ;',
    'application/json;',
    'application/json\t',
  ])('never skips its rules under %j', async (type) => {
    const before = await countUsers(app.database)
    const payload = JSON.stringify({ email: ['a@example.com'], name: {}, password: 1 })
    const reply = await sendAs('/api/auth/register', type, payload)
    expect(['validation_failed', 'unsupported_media_type']).toContain(reply.body.code)
    expectProblem(reply, reply.body.code, reply.body.errors)
    expect(await countUsers(app.database)).toBe(before)
  })

  test('asks for the body when there is none', async () => {
    for (const url of ['/api/auth/register', '/api/auth/login']) {
      const errors = [{ field: 'body', message: 'must be object' }]
      expectProblem(await app.post(url), 'validation_failed', errors)
    }
  })
})

describe('a route that needs no body', () => {
  test.for([
    undefined,
    '',
    'application/json',
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'nonsense',
    ';;;/=,',
    'application/json; charset=latin1',
  ])('takes an empty one under %j', async (type) => {
    for (const length of [undefined, '0']) {
      const { token } = await app.newUser()
      const headers = {
        authorization: `Bearer ${token}`,
        ...(type !== undefined && { 'content-type': type }),
      }
      const read = await app.send({ method: 'GET', url: '/api/auth/profile', headers })
      expect(read.status).toBe(200)
      const reply = await app.send({
        method: 'POST',
        url: '/api/auth/logout',
        headers: { ...headers, ...(length && { 'content-length': length }) },
      })
      expect(reply.status).toBe(200)
    }
  })

  test.for(['{}', '{"refresh_token":"x"}', 'null', '[]'])(
    'takes the JSON %j and ignores it',
    async (payload) => {
      const { token } = await app.newUser()
      expect((await sendAs('/api/auth/logout', 'application/json', payload, token)).status).toBe(200)
    },
  )

  test('still takes no other type and no broken JSON', async () => {
    const { token } = await app.newUser()
    const loggedOut = app.events('logout').length
    expectProblem(await sendAs('/api/auth/logout', 'text/plain', 'bye', token), 'unsupported_media_type')
    expectProblem(await sendAs('/api/auth/logout', undefined, 'bye', token), 'unsupported_media_type')
    expectProblem(await sendAs('/api/auth/logout', 'application/json', '{', token), 'malformed_json')
    const tooLarge = `"${'x'.repeat(16_384)}"`
    expectProblem(await sendAs('/api/auth/logout', 'application/json', tooLarge, token), 'body_too_large')
    expect(app.events('logout')).toHaveLength(loggedOut)
  })

  test('asks for the token before it looks at the body', async () => {
    expectProblem(await sendAs('/api/auth/logout', 'text/plain', 'bye'), 'not_authenticated')
    expectProblem(await sendAs('/api/auth/profile', 'application/json', '{'), 'not_authenticated')
  })
})
