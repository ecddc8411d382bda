import fc from 'fast-check'
import { expect, test } from 'vitest'
import { signAccessToken, type TokenRules, verifyAccessToken } from '../../src/core/access-token.js'
import { createKeyring } from '../../src/core/keyring.js'
import { hashRefreshToken, isRefreshTokenForm } from '../../src/core/refresh-token.js'
import { createSecret, TOKEN_ALGORITHMS } from '../../src/core/signing-key.js'
import { newPrivateKey } from '../support/new-key.js'
import { encodeHeader, parseHeader, TOKEN_TYPES } from '../../src/core/token-header.js'
import { NOW, NOW_SECONDS, SECRET, tokenOf } from '../core/sample-token.js'

const HMAC = createSecret(SECRET)
const PAIRS = [newPrivateKey('EdDSA'), newPrivateKey('ES256')]
const RING = createKeyring(
  [HMAC],
  PAIRS.map((key) => ({ key, signsFrom: 0, verifiesUntil: Number.POSITIVE_INFINITY })),
)
const RULES: TokenRules = { issuer: 'keyward', audiences: [], type: 'JWT', acceptLegacyTokens: true }
const verify = (token: string) => verifyAccessToken(RING, token, RULES, NOW)

const signingKey = fc.constantFrom(HMAC, ...PAIRS)
const claims = fc.record({
  sub: fc.uuid(),
  sid: fc.uuid(),
  jti: fc.uuid(),
  email: fc.oneof(fc.emailAddress(), fc.string({ unit: 'grapheme', maxLength: 200 })),
  iat: fc.integer(),
  exp: fc.oneof(
    fc.integer({ min: NOW_SECONDS + 1 }),
    fc.double({ min: NOW_SECONDS + 1, max: 1e300, noNaN: true }),
  ),
  iss: fc.constant('keyward'),
})

test('a token that was signed here is accepted with what was signed, under every kind of key', () => {
  fc.assert(
    fc.property(signingKey, claims, (key, signed) => {
      expect(verify(signAccessToken(key, signed))).toEqual({
        ok: true,
        principal: {
          id: signed.sub,
          sessionId: signed.sid,
          tokenId: signed.jti,
          email: signed.email,
          expiresAt: signed.exp,
        },
      })
    }),
    { numRuns: 300 },
  )
})

test('with any one character changed, added or left out, a token is refused', () => {
  const character = fc.constantFrom(...Array.from('ABYZabyz019-_.+/= é'))
  fc.assert(
    fc.property(signingKey, claims, fc.nat(), character, fc.nat(2), (key, signed, place, by, kind) => {
      const token = signAccessToken(key, signed)
      const at = place % token.length
      const forged = token.slice(0, at) + (kind === 0 ? '' : by) + token.slice(kind === 2 ? at : at + 1)
      expect(verify(forged).ok).toBe(forged === token)
    }),
    { numRuns: 1_000 },
  )
})

const base64url = (text: string): string => Buffer.from(text).toString('base64url')
const member = fc.oneof(
  fc.constantFrom<unknown>(
    ...TOKEN_ALGORITHMS,
    ...TOKEN_TYPES,
    'none',
    'A'.repeat(43),
    PAIRS[0]?.kid,
    '__proto__',
  ),
  fc.jsonValue(),
)
const headerObject = fc
  .record(
    {
      alg: fc.oneof(fc.constantFrom(...TOKEN_ALGORITHMS), member),
      typ: fc.oneof(fc.constantFrom(...TOKEN_TYPES), member),
      kid: member,
      crit: fc.option(member, { nil: undefined, freq: 2 }),
      x: member,
    },
    { requiredKeys: [] },
  )
  .map((header) => base64url(JSON.stringify(header)))
const segment = fc.oneof(
  { weight: 3, arbitrary: headerObject },
  fc.json().map(base64url),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'binary' }).map(base64url),
  fc.constantFrom('', '=', 'e30', 'bnVsbA', base64url('['.repeat(3_000))),
)

test('no text at all makes the parser of tokens throw, and none without a right signature is accepted', () => {
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 5 }), (segments) => {
      const verdict = verify(segments.join('.'))
      expect(verdict.ok ? 'accepted' : verdict.code).toMatch(/^(invalid_token|unknown_key)$/)
    }),
    { numRuns: 3_000 },
  )
})

test('no content that is rightly signed makes it throw either', () => {
  const content = fc.oneof(fc.json(), fc.string({ unit: 'binary' }), fc.constant('{"exp":1e999}'))
  fc.assert(
    fc.property(content, (payload) => {
      expect(verify(tokenOf({ alg: 'HS256' }, payload))).toEqual({ ok: false, code: 'invalid_token' })
    }),
    { numRuns: 1_000 },
  )
})

test('a header is read, or it is none: what is read can be written and read again', () => {
  // Of other segments hardly any is a header.
  const likely = fc.oneof({ weight: 3, arbitrary: headerObject }, segment)
  let read = 0
  fc.assert(
    fc.property(likely, (text) => {
      const header = parseHeader(text)
      if (header === null) return
      read++
      expect(parseHeader(encodeHeader(header))).toEqual(header)
      const written = JSON.parse(Buffer.from(text, 'base64url').toString())
      expect(written).toMatchObject({
        alg: header.algorithm,
        ...(header.kid !== null && { kid: header.kid }),
      })
      expect(written).not.toHaveProperty('crit')
    }),
    { numRuns: 3_000 },
  )
  expect(read).toBeGreaterThan(200)
})

test('text is a refresh token only as kwr_ and 43 characters of base64url, and no other text has its hash', () => {
  const near = fc.tuple(
    fc.constantFrom('kwr_', 'KWR_', 'kwr', '', '\nkwr_'),
    fc.string({ unit: fc.constantFrom(...Array.from('AZaz09-_')), minLength: 42, maxLength: 44 }),
    fc.constantFrom('', '', '\n', '=', 'é', '\ud800'),
  )
  const text = fc.oneof(
    near.map((parts) => parts.join('')),
    fc.string({ unit: 'binary' }),
  )
  fc.assert(
    fc.property(text, text, (one, other) => {
      const letters = Array.from(one)
      const isForm =
        letters.length === 47 &&
        one.startsWith('kwr_') &&
        letters.slice(4).every((letter) => letter < '\u007f' && /[\w-]/.test(letter))
      expect(isRefreshTokenForm(one)).toBe(isForm)
      if (isForm) expect(hashRefreshToken(one).equals(hashRefreshToken(other))).toBe(one === other)
    }),
    { numRuns: 3_000 },
  )
})
