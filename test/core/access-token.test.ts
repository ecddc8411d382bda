import { createHmac } from 'node:crypto'
import { jwtVerify, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { signAccessToken, verifyAccessToken } from '../../src/core/access-token.js'
import { createKeyring } from '../../src/core/keyring.js'
import { createSecret } from '../../src/core/signing-key.js'
import {
  CLAIMS,
  HEADER,
  KEY,
  KEYRING,
  NOW,
  NOW_SECONDS,
  RULES,
  SECRET,
  tokenOf,
  tokenWith,
} from './sample-token.js'

const LEGACY_RULES = { ...RULES, acceptLegacyTokens: true }
const codeOf = (token: string, rules = RULES, now = NOW): string => {
  const verdict = verifyAccessToken(KEYRING, token, rules, now)
  return verdict.ok ? 'accepted' : verdict.code
}
const partOf = (token: string, index: number): unknown =>
  JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString())

describe('a token made here', () => {
  const token = signAccessToken(KEY, CLAIMS)

  test('speaks for its user, session and address', () => {
    expect(verifyAccessToken(KEYRING, token, RULES, NOW)).toEqual({
      ok: true,
      principal: {
        id: CLAIMS.sub,
        sessionId: CLAIMS.sid,
        tokenId: CLAIMS.jti,
        email: 'ada@example.com',
        expiresAt: CLAIMS.exp,
      },
    })
  })

  test('carries exactly the promised header and claims', () => {
    expect(partOf(token, 0)).toEqual({ alg: 'HS256', typ: 'JWT' })
    expect(Object.keys(partOf(token, 1) as object).sort()).toEqual(
      ['email', 'exp', 'iat', 'iss', 'jti', 'sid', 'sub'].sort(),
    )
    expect(partOf(token, 1)).toEqual(CLAIMS)
  })

  test('is accepted by another implementation with the same secret', async () => {
    const { payload, protectedHeader } = await jwtVerify(token, Buffer.from(SECRET), {
      algorithms: ['HS256'],
      issuer: 'keyward',
      currentDate: new Date(NOW),
    })
    expect(payload).toEqual(CLAIMS)
    expect(protectedHeader).toEqual(HEADER)
  })

  test('is refused under another secret', () => {
    const other = createKeyring([createSecret('pQ4tGz7LkVb2RwXc9NfMs1HyDj6UeTa0')])
    expect(verifyAccessToken(other, token, RULES, NOW)).toEqual({ ok: false, code: 'invalid_token' })
  })
})

test('accepts a token that another implementation made with the right claims', async () => {
  const token = await new SignJWT({ ...CLAIMS })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(Buffer.from(SECRET))
  expect(codeOf(token)).toBe('accepted')
})

test('gives the identifiers in lower case, so that they equal those in the database', () => {
  const shouted = tokenWith({ sub: CLAIMS.sub.toUpperCase(), sid: CLAIMS.sid.toUpperCase() })
  expect(verifyAccessToken(KEYRING, shouted, RULES, NOW)).toMatchObject({
    principal: { id: CLAIMS.sub, sessionId: CLAIMS.sid },
  })
})

describe('expiry', () => {
  test('accepts a token up to its last second', () => {
    expect(codeOf(tokenWith({ exp: NOW_SECONDS + 1 }), RULES, NOW + 999)).toBe('accepted')
  })

  test('refuses a token whose expiry is exactly now', () => {
    expect(codeOf(tokenWith({ exp: NOW_SECONDS }))).toBe('token_expired')
  })

  test('refuses a token whose expiry has passed', () => {
    expect(codeOf(tokenWith({ exp: NOW_SECONDS - 1 }))).toBe('token_expired')
    expect(codeOf(tokenWith({ exp: 0 }))).toBe('token_expired')
    expect(codeOf(tokenWith({ exp: -1 }))).toBe('token_expired')
  })

  test('does not tell an expired token with a wrong signature from any other wrong token', () => {
    const expired = tokenWith({ exp: NOW_SECONDS - 1 })
    expect(codeOf(`${expired.slice(0, -43)}${'A'.repeat(43)}`)).toBe('invalid_token')
  })
})

const WRONG_EXPIRIES: [string, unknown][] = [
  ['missing', undefined],
  ['a string', String(CLAIMS.exp)],
  ['null', null],
  ['true', true],
  ['an array', [CLAIMS.exp]],
  ['an object', {}],
]
test.each(WRONG_EXPIRIES)('refuses a token whose expiry is %s', (_, exp) => {
  expect(codeOf(tokenWith({ exp }))).toBe('invalid_token')
  expect(codeOf(tokenWith({ exp }), LEGACY_RULES)).toBe('invalid_token')
})

test.each(['NaN', '1e400', '-1e400', 'Infinity'])('refuses a token whose expiry is written %s', (number) => {
  const payload = JSON.stringify(CLAIMS).replace(String(CLAIMS.exp), number)
  expect(payload).toContain(`"exp":${number}`)
  expect(codeOf(tokenOf(HEADER, payload))).toBe('invalid_token')
})

test.each([
  ['no subject', { sub: undefined }],
  ['a subject that is no UUID', { sub: 'ada' }],
  ['a UUID with something behind it', { sub: `${CLAIMS.sub}\n` }],
  ['a subject in a list', { sub: [CLAIMS.sub] }],
  ['a start in the future', { nbf: NOW_SECONDS + 1 }],
  ['a start that is text', { nbf: String(NOW_SECONDS) }],
  ['a start that is null', { nbf: null }],
  ['an issue time that is text', { iat: 'yesterday' }],
  ['an audience', { aud: 'keyward' }],
  ['an empty list of audiences', { aud: [] }],
  ['another issuer', { iss: 'someone-else' }],
  ['a list of issuers with ours in it', { iss: ['keyward'] }],
  ['an issuer that is null', { iss: null }],
  ['a session that is no UUID', { sid: 'x' }],
  ['a session that is null', { sid: null }],
])('refuses a rightly signed token with %s, legacy tokens accepted or not', (_, claims) => {
  expect(codeOf(tokenWith(claims))).toBe('invalid_token')
  expect(codeOf(tokenWith(claims), LEGACY_RULES)).toBe('invalid_token')
})

test('needs no time of issue and no e-mail address', () => {
  expect(codeOf(tokenWith({ iat: undefined }))).toBe('accepted')
  expect(codeOf(tokenWith({ email: undefined }))).toBe('accepted')
})

test('accepts a start that has come', () => {
  expect(codeOf(tokenWith({ nbf: NOW_SECONDS }))).toBe('accepted')
})

describe('a token of another stack with the same secret', () => {
  const legacy = { jti: undefined, sid: undefined, iss: undefined }

  test.each(['jti', 'sid', 'iss'])('is refused by default when it lacks %s', (claim) => {
    expect(codeOf(tokenWith({ [claim]: undefined }))).toBe('invalid_token')
  })

  test('is accepted when legacy tokens are, and then has no session', () => {
    expect(verifyAccessToken(KEYRING, tokenWith({ ...legacy, email: undefined }), LEGACY_RULES, NOW)).toEqual(
      {
        ok: true,
        principal: { id: CLAIMS.sub, sessionId: null, tokenId: null, email: null, expiresAt: CLAIMS.exp },
      },
    )
  })

  test.each([{ type: 'refresh' }, { token_type: 'refresh' }, { type: 'access', sid: 'x' }, { type: 1 }])(
    'is refused with %j',
    (claims) => {
      expect(codeOf(tokenWith({ ...legacy, ...claims }), LEGACY_RULES)).toBe('invalid_token')
    },
  )

  test.each([{ type: 'access' }, { token_type: 'access' }])('is accepted with %j', (claims) => {
    expect(codeOf(tokenWith({ ...legacy, ...claims }), LEGACY_RULES)).toBe('accepted')
  })

  test('still expires', () => {
    expect(codeOf(tokenWith({ ...legacy, exp: NOW_SECONDS }), LEGACY_RULES)).toBe('token_expired')
  })

  test('still needs a right signature', () => {
    const token = tokenWith(legacy)
    expect(codeOf(`${token.slice(0, -43)}${'A'.repeat(43)}`, LEGACY_RULES)).toBe('invalid_token')
  })

  test('is refused when it names a session but not itself or its issuer', () => {
    expect(codeOf(tokenWith({ jti: undefined }), LEGACY_RULES)).toBe('invalid_token')
    expect(codeOf(tokenWith({ iss: undefined }), LEGACY_RULES)).toBe('invalid_token')
  })
})

describe('the key', () => {
  test.each([
    ['empty', ''],
    ['31 bytes', 'k'.repeat(31)],
    ['15 two-byte characters', 'é'.repeat(15)],
  ])('cannot be made from a secret that is %s', (_, secret) => {
    expect(() => createSecret(secret)).toThrow(new RangeError('The token secret must have at least 32 bytes'))
  })

  test('is the bytes of the text, however many characters that is', () => {
    const secret = 'é'.repeat(16)
    const mac = createHmac('sha256', Buffer.from(secret, 'utf8')).update('input').digest('base64url')
    expect(createSecret(secret).sign('input')).toBe(mac)
  })

  test('is not decoded, even when the secret looks like base64', () => {
    const secret = Buffer.alloc(32, 7).toString('base64')
    const mac = createHmac('sha256', Buffer.from(secret, 'ascii')).update('input').digest('base64url')
    expect(createSecret(secret).sign('input')).toBe(mac)
  })
})
