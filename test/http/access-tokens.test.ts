import { decodeProtectedHeader, jwtVerify, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { NOW, readClaims, SECRET, useTestApp } from '../support/test-app.js'
import { expectProblem } from './expect-problem.js'

const app = useTestApp({ environment: { ACCESS_TOKEN_TTL: '60', JWT_ISSUER: 'test-issuer' } })

const KEY = new TextEncoder().encode(SECRET)
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** A token whose claims and signature are good, but for what the test changes. */
async function forge(
  sub: string,
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  key: Uint8Array = KEY,
): Promise<string> {
  const native = { iss: 'test-issuer', sid: crypto.randomUUID(), jti: crypto.randomUUID() }
  return new SignJWT({ sub, email: 'any@example.com', exp: 5_000_000_000, ...native, ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT', ...header })
    .sign(key)
}

describe('an access token', () => {
  test('is an HS256 JWT with exactly these claims, which another JWT library accepts', async () => {
    const { email, password, id } = await app.newUser()
    const { body } = await app.post('/api/auth/login', { email, password })
    const token: string = body.access_token
    expect(body.expires_in).toBe(60)
    expect(decodeProtectedHeader(token)).toStrictEqual({ alg: 'HS256', typ: 'JWT' })
    const issuedAt = Date.parse(body.user.created_at) / 1000
    const { payload } = await jwtVerify(token, KEY, {
      algorithms: ['HS256'],
      issuer: 'test-issuer',
      currentDate: new Date(issuedAt * 1000),
    })
    expect(payload).toStrictEqual({
      sub: id,
      email,
      iat: issuedAt,
      exp: issuedAt + 60,
      jti: expect.stringMatching(UUID),
      sid: expect.stringMatching(UUID),
      iss: 'test-issuer',
    })
  })

  test('has a session and an id of its own at every login', async () => {
    const { email, password, token } = await app.newUser()
    const again = await app.post('/api/auth/login', { email, password })
    const currentDate = new Date(Date.parse(again.body.user.created_at))
    const first = await jwtVerify(token, KEY, { currentDate })
    const second = await jwtVerify(again.body.access_token, KEY, { currentDate })
    expect(first.payload.sid).not.toBe(second.payload.sid)
    expect(first.payload.jti).not.toBe(second.payload.jti)
  })

  test('is good until the second before it expires', async () => {
    const user = await app.newUser()
    app.passSeconds(59)
    expect((await user.get('/api/auth/profile')).status).toBe(200)
    app.passSeconds(1)
    expectProblem(await user.get('/api/auth/profile'), 'token_expired')
    expectProblem(await user.put('/api/auth/profile', { name: 'Too Late' }), 'token_expired')
    expectProblem(await user.post('/api/auth/logout'), 'token_expired')
    const again = await app.post('/api/auth/login', { email: user.email, password: user.password })
    expect((await app.get('/api/auth/profile', again.body.access_token)).body.name).toBe('Test User')
  })

  test('is refused with any one character of it changed', async () => {
    const { token } = await app.newUser()
    for (let i = 0; i < token.length; i += 7) {
      const tampered = `${token.slice(0, i)}${token[i] === 'A' ? 'B' : 'A'}${token.slice(i + 1)}`
      expectProblem(await app.get('/api/auth/profile', tampered), 'invalid_token')
    }
  })

  test('is refused with another payload, cut short, padded, or unsigned', async () => {
    const [mine, theirs] = [(await app.newUser()).token, (await app.newUser()).token]
    const [header, payload, signature] = mine.split('.')
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')
    for (const token of [
      `${header}.${theirs.split('.')[1]}.${signature}`,
      `${header}.${payload}`,
      `${header}.${payload}.`,
      `${header}.${payload}.${signature}.`,
      `${header}.${payload}.${signature}=`,
      `${header}.${payload}.${signature}.${signature}`,
      `.${payload}.${signature}`,
      `${none}.${payload}.`,
      `${none}.${payload}.${signature}`,
      `${mine}AA`,
      'a.b.c',
      'x'.repeat(8_000),
    ]) {
      expectProblem(await app.get('/api/auth/profile', token), 'invalid_token')
    }
  })

  test('is refused when another key, algorithm, issuer, audience or time made it', async () => {
    const { id } = await app.newUser()
    const otherKey = new TextEncoder().encode(`${SECRET}!`)
    const now = NOW / 1000
    for (const token of [
      await forge(id, {}, {}, otherKey),
      await forge(id, {}, { alg: 'HS512' }),
      await forge(id, {}, { typ: 'refresh+jwt' }),
      await forge(id, { iss: 'keyward' }),
      await forge(id, { aud: 'another-service' }),
      await forge(id, { nbf: now + 3_600 }),
      await forge(id, { exp: String(5_000_000_000) }),
      await forge(id, { exp: undefined }),
      await forge(id, { sid: undefined }),
      await forge(id, { jti: undefined }),
      await forge(id, { iss: undefined }),
      await forge('1'),
      await forge(`${id}' or true`),
    ]) {
      expectProblem(await app.get('/api/auth/profile', token), 'invalid_token')
    }
    expect((await app.get('/api/auth/profile', await forge(id))).status).toBe(200)
    expectProblem(await app.get('/api/auth/profile', await forge(crypto.randomUUID())), 'account_not_found')
  })
})

describe('under JWT_EMAIL=off', () => {
  const discreet = useTestApp({ environment: { JWT_EMAIL: 'off' } })

  test('no access token shows the e-mail address, neither after a log-in nor after a refresh, and all are good', async () => {
    const user = await discreet.newUser()
    const refreshed = (await discreet.refresh(user.refreshToken)).body.access_token
    for (const token of [user.token, (await discreet.login(user)).token, refreshed]) {
      expect(Object.keys(readClaims(token)).sort()).toEqual(['exp', 'iat', 'iss', 'jti', 'sid', 'sub'])
      expect((await discreet.get('/api/auth/profile', token)).body.email).toBe(user.email)
    }
  })
})

describe('without usable credentials', () => {
  test.for([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Basic dXNlcjpwYXNz',
    'Token TOKEN',
    'TOKEN',
    'BearerTOKEN',
    'Bearer TOKEN TOKEN',
    'Bearer TOKEN, Bearer TOKEN',
    'Bearer "TOKEN"',
    'Bearer\tTOKEN',
    'Bearer {}',
  ])('nobody is authenticated: %j', async (template) => {
    const { token } = await app.newUser()
    const authorization = template?.replaceAll('TOKEN', token)
    for (const [method, url] of [
      ['GET', '/api/auth/profile'],
      ['PUT', '/api/auth/profile'],
      ['POST', '/api/auth/logout'],
    ] as const) {
      const headers = authorization === undefined ? {} : { authorization }
      expectProblem(await app.send({ method, url, headers }), 'not_authenticated')
    }
  })

  test('a token in the query, the body, a cookie or another header counts for nothing', async () => {
    const { token } = await app.newUser()
    const query = `?access_token=${token}&token=${token}&authorization=Bearer%20${token}`
    expectProblem(await app.get(`/api/auth/profile${query}`), 'not_authenticated')
    expectProblem(await app.post('/api/auth/logout', { access_token: token }), 'not_authenticated')
    const headers = { cookie: `access_token=${token}`, 'x-access-token': token, 'proxy-authorization': token }
    expectProblem(await app.send({ method: 'GET', url: '/api/auth/profile', headers }), 'not_authenticated')
  })

  test('the scheme may be written in any letter case', async () => {
    const { token } = await app.newUser()
    const headers = { authorization: `bEARER   ${token}` }
    expect((await app.send({ method: 'GET', url: '/api/auth/profile', headers })).status).toBe(200)
  })
})

describe('a token of another stack with the same secret', () => {
  const lenient = useTestApp({ environment: { ACCEPT_LEGACY_TOKENS: 'on' } })

  /** What PyJWT makes of `{"sub": …, "email": …, "exp": …}`. */
  const legacyToken = (id: string, email: string, exp: number) =>
    new SignJWT({ sub: id, email, exp }).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(KEY)

  test('is accepted under ACCEPT_LEGACY_TOKENS=on alone', async () => {
    const there = await lenient.newUser()
    const accepted = await lenient.get(
      '/api/auth/profile',
      await legacyToken(there.id, there.email, 5_000_000_000),
    )
    expect(accepted.status).toBe(200)
    expect(accepted.body.id).toBe(there.id)
    const here = await app.newUser()
    const refused = await app.get('/api/auth/profile', await legacyToken(here.id, here.email, 5_000_000_000))
    expectProblem(refused, 'invalid_token')
  })

  test('still expires, and still has to be signed', async () => {
    const { id, email } = await lenient.newUser()
    const expired = await legacyToken(id, email, NOW / 1000)
    expectProblem(await lenient.get('/api/auth/profile', expired), 'token_expired')
    const signed = await legacyToken(id, email, 5_000_000_000)
    const unsigned = `${signed.slice(0, signed.lastIndexOf('.'))}.`
    expectProblem(await lenient.get('/api/auth/profile', unsigned), 'invalid_token')
  })

  test('logs out without a session in the event', async () => {
    const { id, email } = await lenient.newUser()
    const token = await legacyToken(id, email, 5_000_000_000)
    expect((await lenient.post('/api/auth/logout', undefined, token)).status).toBe(200)
    expect(lenient.events('logout')).toStrictEqual([
      expect.not.objectContaining({ session_id: expect.anything() }),
    ])
    expect(lenient.events('logout')[0].user_id).toBe(id)
  })
})
