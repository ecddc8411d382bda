import { describe, expect, test } from 'vitest'
import { signAccessToken } from '../../src/core/access-token.js'
import { createGuard, type GuardOptions } from '../../src/guard/guard.js'
import { CLAIMS, NOW, NOW_SECONDS, SECRET, tokenOf, tokenWith } from '../core/sample-token.js'
import { newPrivateKey } from '../support/new-key.js'

const guard = createGuard({ secret: SECRET, clock: () => NOW })
const TOKEN = tokenWith({})
const NOT_AUTHENTICATED = { ok: false, code: 'not_authenticated', anonymous: false }

test('lets a valid token through and says who it is', () => {
  expect(guard.check(`Bearer ${TOKEN}`)).toEqual({
    ok: true,
    principal: {
      id: CLAIMS.sub,
      sessionId: CLAIMS.sid,
      tokenId: CLAIMS.jti,
      email: CLAIMS.email,
      expiresAt: CLAIMS.exp,
    },
  })
})

test.each(['bearer', 'BEARER', 'bEaReR'])('takes the scheme as %s', (scheme) => {
  expect(guard.check(`${scheme} ${TOKEN}`).ok).toBe(true)
})

test('takes several spaces after the scheme', () => {
  expect(guard.check(`Bearer   ${TOKEN}`).ok).toBe(true)
})

test.each([undefined, null])(
  'tells a request without the header (%s) from one with a useless header',
  (nothing) => {
    expect(guard.check(nothing)).toEqual({ ok: false, code: 'not_authenticated', anonymous: true })
  },
)

test.each([
  ['an empty header', ''],
  ['spaces', '   '],
  ['the scheme alone', 'Bearer'],
  ['the scheme and a space', 'Bearer '],
  ['the token alone', TOKEN],
  ['another scheme', `Basic ${TOKEN}`],
  ['a scheme that begins alike', `Bearers ${TOKEN}`],
  ['no space', `Bearer${TOKEN}`],
  ['a tab for a space', `Bearer\t${TOKEN}`],
  ['a space in front', ` Bearer ${TOKEN}`],
  ['two tokens', `Bearer ${TOKEN} ${TOKEN}`],
  ['two tokens in one list', `Bearer ${TOKEN}, Bearer ${TOKEN}`],
  ['a quoted token', `Bearer "${TOKEN}"`],
  ['a parameter', `Bearer token=${TOKEN}`.replace('=', '="')],
  ['a letter that no token has', `Bearer ${TOKEN}é`],
  ['a hundred thousand spaces', `Bearer ${' '.repeat(100_000)}`],
])('takes %s for credentials that are of no use', (_, authorization) => {
  expect(guard.check(authorization)).toEqual(NOT_AUTHENTICATED)
})

test.each([
  ['text', 'garbage'],
  ['dots', '...'],
  ['a changed token', `${TOKEN.slice(0, -2)}AA`],
  ['a padded token', `${TOKEN}=`],
  ['a token of another issuer', tokenWith({ iss: 'someone-else' })],
  ['a token without a session', tokenWith({ sid: undefined })],
  ['a hundred thousand characters', 'A'.repeat(100_000)],
])('refuses %s as an invalid token', (_, token) => {
  expect(guard.check(`Bearer ${token}`)).toEqual({ ok: false, code: 'invalid_token' })
})

test('refuses an expired token and says that it has expired', () => {
  expect(guard.check(`Bearer ${tokenWith({ exp: NOW_SECONDS })}`)).toEqual({
    ok: false,
    code: 'token_expired',
  })
})

test('judges each request by the time it comes at', () => {
  let now = NOW
  const moving = createGuard({ secret: SECRET, clock: () => now })
  expect(moving.check(`Bearer ${TOKEN}`).ok).toBe(true)
  now = CLAIMS.exp * 1000
  expect(moving.check(`Bearer ${TOKEN}`)).toEqual({ ok: false, code: 'token_expired' })
})

test('a clock that has no time lets nobody in', () => {
  const timeless = createGuard({ secret: SECRET, clock: () => Number.NaN })
  expect(timeless.check(`Bearer ${TOKEN}`)).toEqual({ ok: false, code: 'token_expired' })
})

test('goes by the system’s clock when it is given none', () => {
  const now = Math.floor(Date.now() / 1000)
  const systemGuard = createGuard({ secret: SECRET })
  expect(systemGuard.check(`Bearer ${tokenWith({ iat: now, exp: now + 3600 })}`).ok).toBe(true)
  expect(systemGuard.check(`Bearer ${tokenWith({ iat: now, exp: now - 3600 })}`).ok).toBe(false)
})

describe('options', () => {
  test('an issuer of its own replaces the default one', () => {
    const other = createGuard({ secret: SECRET, issuer: 'my-app', clock: () => NOW })
    expect(other.check(`Bearer ${tokenWith({ iss: 'my-app' })}`).ok).toBe(true)
    expect(other.check(`Bearer ${TOKEN}`).ok).toBe(false)
  })

  test('legacy tokens are accepted only when that is said', () => {
    const legacy = `Bearer ${tokenWith({ sid: undefined, jti: undefined, iss: undefined })}`
    const accepting = { secret: SECRET, clock: () => NOW, acceptLegacyTokens: true }
    expect(createGuard(accepting).check(legacy)).toMatchObject({ ok: true, principal: { sessionId: null } })
    // As it might come from an environment variable, past the type checker.
    const text = { ...accepting, acceptLegacyTokens: 'false' } as unknown as typeof accepting
    expect(createGuard(text).check(legacy).ok).toBe(false)
  })

  test('of several secrets each one is good', () => {
    const several = createGuard({ secret: ['pQ4tGz7LkVb2RwXc9NfMs1HyDj6UeTa0', SECRET], clock: () => NOW })
    expect(several.check(`Bearer ${TOKEN}`).ok).toBe(true)
    expect(() => createGuard({ secret: [SECRET, 'too short'] })).toThrow(RangeError)
    expect(() => createGuard({ secret: [] })).toThrow(RangeError)
  })

  test('public keys verify tokens without any secret', () => {
    const key = newPrivateKey('EdDSA')
    const token = signAccessToken(key, CLAIMS)
    expect(createGuard({ keys: [key.jwk], clock: () => NOW }).check(`Bearer ${token}`).ok).toBe(true)
    const other = createGuard({ keys: [newPrivateKey('EdDSA').jwk], clock: () => NOW })
    expect(other.check(`Bearer ${token}`)).toEqual({ ok: false, code: 'invalid_token' })
    expect(() => createGuard({ keys: [{ kty: 'oct', k: 'A'.repeat(43) }] })).toThrow()
    expect(() => createGuard({ keys: [] })).toThrow(RangeError)
  })

  describe('an audience', () => {
    const codeFor = (audience: string | string[] | undefined, aud: unknown): string => {
      const verdict = createGuard({ secret: SECRET, audience, clock: () => NOW }).check(
        `Bearer ${tokenWith({ aud })}`,
      )
      return verdict.ok ? 'let in' : verdict.code
    }

    test.each([
      ['api', 'api'],
      ['api', ['web', 'api']],
      [['api', 'admin'], 'admin'],
      [
        ['api', 'admin'],
        ['web', 'admin'],
      ],
    ])('%j lets in a token for %j', (audience, aud) => {
      expect(codeFor(audience, aud)).toBe('let in')
    })

    test.each([
      ['api', undefined],
      ['api', 'API'],
      ['api', 'api '],
      ['api', 'web'],
      ['api', []],
      ['api', null],
      ['api', [['api']]],
      ['api', { 0: 'api' }],
      [['api', 'admin'], 'api,admin'],
      [undefined, 'api'],
    ])('%j refuses a token for %j', (audience, aud) => {
      expect(codeFor(audience, aud)).toBe('invalid_token')
    })

    test('must name somebody', () => {
      for (const audience of ['', [], ['api', '']]) {
        expect(() => createGuard({ secret: SECRET, audience })).toThrow(RangeError)
      }
    })
  })

  test('with the type at+jwt only tokens that say it are let in', () => {
    const strict = createGuard({ secret: SECRET, type: 'at+jwt', acceptLegacyTokens: true, clock: () => NOW })
    for (const typ of ['at+jwt', 'AT+JWT', 'application/at+jwt']) {
      const token = tokenOf({ alg: 'HS256', typ }, CLAIMS)
      expect(strict.check(`Bearer ${token}`).ok).toBe(true)
      expect(guard.check(`Bearer ${token}`)).toEqual({ ok: false, code: 'invalid_token' })
    }
    for (const typ of ['JWT', undefined, 'at', 'x/at+jwt', 'text/at+jwt', ['at+jwt']]) {
      const token = tokenOf({ alg: 'HS256', typ }, CLAIMS)
      expect(strict.check(`Bearer ${token}`)).toEqual({ ok: false, code: 'invalid_token' })
    }
    expect(() => createGuard({ secret: SECRET, type: 'jwt' as 'JWT' })).toThrow(RangeError)
  })

  test.each([undefined, null, '', 'too short', 'k'.repeat(31)])(
    'a guard with the secret %j is never made',
    (secret) => {
      // Past the type checker, as `process.env.BETTER_AUTH_SECRET` comes in JavaScript.
      expect(() => createGuard({ secret } as unknown as GuardOptions)).toThrow(RangeError)
    },
  )
})
