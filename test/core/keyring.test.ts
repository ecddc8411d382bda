import { createHmac, createPublicKey } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { signAccessToken, verifyAccessToken } from '../../src/core/access-token.js'
import {
  createKeyring,
  publicKeySet,
  type RingKey,
  signingKeyAt,
  verifyOnly,
} from '../../src/core/keyring.js'
import { createSecret, importPublicJwk } from '../../src/core/signing-key.js'
import { newPrivateKey } from '../support/new-key.js'
import { CLAIMS, KEY, macOf, NOW, RULES, SECRET, tokenWith } from './sample-token.js'

const EDDSA = newPrivateKey('EdDSA')
const ES256 = newPrivateKey('ES256')
const DAY = 86_400_000
const FOREVER = Number.POSITIVE_INFINITY

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
const MIXED = createKeyring([KEY], [verifyOnly(EDDSA), verifyOnly(ES256)])
const codeOf = (token: string, keyring = MIXED, now = NOW): string => {
  const verdict = verifyAccessToken(keyring, token, RULES, now)
  return verdict.ok ? 'accepted' : verdict.code
}
/** A token with this header, signed by whatever the test says. */
const signed = (header: object, sign: (input: string) => string): string => {
  const input = `${encode(header)}.${encode(CLAIMS)}`
  return `${input}.${sign(input)}`
}

test('a ring of secrets and keys accepts what each of them signed', () => {
  for (const key of [KEY, EDDSA, ES256]) expect(codeOf(signAccessToken(key, CLAIMS))).toBe('accepted')
})

describe('several secrets', () => {
  const [old, current] = [SECRET, 'pQ4tGz7LkVb2RwXc9NfMs1HyDj6UeTa0']
  const keyring = createKeyring([createSecret(current), createSecret(old)])

  test('all verify, the first one signs', () => {
    expect(codeOf(tokenWith({}), keyring)).toBe('accepted')
    const token = signAccessToken(signingKeyAt(keyring, 'HS256', NOW)!, CLAIMS)
    expect(codeOf(token, createKeyring([createSecret(current)]))).toBe('accepted')
    expect(codeOf(token, createKeyring([createSecret(old)]))).toBe('invalid_token')
  })

  test('a secret that was taken off the list verifies no more', () => {
    expect(codeOf(tokenWith({}), createKeyring([createSecret(current)]))).toBe('invalid_token')
  })
})

describe('in the course of time', () => {
  const keys: RingKey[] = [
    { key: EDDSA, signsFrom: NOW, verifiesUntil: NOW + 3 * DAY },
    { key: newPrivateKey('EdDSA'), signsFrom: NOW + DAY, verifiesUntil: FOREVER },
    { key: ES256, signsFrom: NOW + 2 * DAY, verifiesUntil: FOREVER },
  ]
  const [first, second] = [keys[0]!.key, keys[1]!.key]
  const keyring = createKeyring([], keys)
  const signer = (now: number) => signingKeyAt(keyring, 'EdDSA', now)?.kid

  test('each key signs when its turn begins, until the next one’s, among those of one algorithm', () => {
    expect(signer(NOW)).toBe(first.kid)
    expect(signer(NOW + DAY - 1)).toBe(first.kid)
    expect(signer(NOW + DAY)).toBe(second.kid)
    expect(signer(NOW + 10 * DAY)).toBe(second.kid)
    expect(signingKeyAt(keyring, 'ES256', NOW + 2 * DAY)?.kid).toBe(ES256.kid)
  })

  test('whichever order they are read in', () => {
    const reversed = createKeyring([], keys.toReversed())
    const kidAt = (now: number) => signingKeyAt(reversed, 'EdDSA', now)?.kid
    expect([kidAt(NOW - DAY), kidAt(NOW), kidAt(NOW + DAY)]).toEqual([first.kid, first.kid, second.kid])
  })

  test('the first one signs even on a machine whose clock is slow', () => {
    expect(signer(NOW - DAY)).toBe(first.kid)
  })

  test('nothing signs with an algorithm that has no key, or with a key that only verifies', () => {
    expect(signingKeyAt(keyring, 'RS256', NOW)).toBeNull()
    expect(signingKeyAt(keyring, 'HS256', NOW)).toBeNull()
    expect(signingKeyAt(createKeyring([], [verifyOnly(EDDSA)]), 'EdDSA', NOW)).toBeNull()
    const publicHalf = { key: importPublicJwk(EDDSA.jwk), signsFrom: NOW, verifiesUntil: FOREVER }
    expect(signingKeyAt(createKeyring([], [publicHalf]), 'EdDSA', NOW)).toBeNull()
  })

  test('a key verifies and is published before its turn and after it, up to its end', () => {
    const kids = (now: number) => publicKeySet(keyring, now).keys.map(({ kid }) => kid)
    expect(kids(NOW)).toEqual([first.kid, second.kid, ES256.kid])
    const late = { ...CLAIMS, exp: CLAIMS.exp + DAY }
    expect(codeOf(signAccessToken(ES256, late), keyring, NOW)).toBe('accepted')
    const forever = signAccessToken(EDDSA, { ...CLAIMS, exp: CLAIMS.exp + 100 * DAY })
    expect(codeOf(forever, keyring, NOW + 3 * DAY - 1)).toBe('accepted')
    expect(codeOf(forever, keyring, NOW + 3 * DAY)).toBe('invalid_token')
    expect(kids(NOW + 3 * DAY)).toEqual([second.kid, ES256.kid])
  })
})

describe('a token that names a key', () => {
  test.each([
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['a path', '../../../dev/null'],
    ['SQL', "' or '1'='1"],
    ['nothing', ''],
    ['a number', 7],
    ['a list', [EDDSA.kid]],
    ['null', null],
    ['3000 characters', 'k'.repeat(3000)],
    ['another spelling of a key', `${EDDSA.kid}\n`],
  ])('that is %s is refused without anybody being asked', (_, kid) => {
    for (const sign of [EDDSA.sign, KEY.sign]) {
      expect(codeOf(signed({ alg: 'EdDSA', typ: 'JWT', kid }, sign))).toBe('invalid_token')
    }
  })

  test('is refused when it names none', () => {
    expect(codeOf(signed({ alg: 'EdDSA', typ: 'JWT' }, EDDSA.sign))).toBe('invalid_token')
  })

  test('that could exist is not judged', () => {
    const stranger = newPrivateKey('EdDSA')
    expect(codeOf(signAccessToken(stranger, CLAIMS))).toBe('unknown_key')
  })

  test('of another algorithm than it says is refused, whoever signed it', () => {
    for (const alg of ['EdDSA', 'RS256', 'HS256', 'none', 'ES384']) {
      for (const { sign } of [EDDSA, ES256, KEY]) {
        expect(codeOf(signed({ alg, typ: 'JWT', kid: ES256.kid }, sign)), alg).toBe('invalid_token')
      }
    }
  })

  test('and brings a key of its own along is refused', () => {
    const attacker = newPrivateKey('EdDSA')
    const forged = { alg: 'EdDSA', typ: 'JWT', jwk: attacker.jwk, jku: 'http://127.0.0.1:1/', x5c: ['AA=='] }
    expect(codeOf(signed({ ...forged, kid: EDDSA.kid }, attacker.sign))).toBe('invalid_token')
    expect(codeOf(signed(forged, attacker.sign))).toBe('invalid_token')
  })

  test('of a private key is no legacy token, even where those are accepted', () => {
    const { sid: _, jti: __, iss: ___, ...legacy } = CLAIMS
    const rules = { ...RULES, acceptLegacyTokens: true }
    const token = signAccessToken(EDDSA, legacy as typeof CLAIMS)
    expect(verifyAccessToken(MIXED, token, rules, NOW)).toEqual({ ok: false, code: 'invalid_token' })
  })
})

describe.each(['EdDSA', 'ES256', 'RS256'] as const)('the public %s key', (algorithm) => {
  const key = newPrivateKey(algorithm)
  const publicKey = createPublicKey({ key: key.jwk, format: 'jwk' })
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString()
  const der = publicKey.export({ format: 'der', type: 'spki' })
  const encodings: [string, string | Buffer][] = [
    ['PEM', pem],
    ['PEM without its last line break', pem.trimEnd()],
    ['PEM with Windows line breaks', pem.replaceAll('\n', '\r\n')],
    ['PEM behind a space', ` ${pem}`],
    ['DER', der],
    ['base64', der.toString('base64')],
    ['JWK', JSON.stringify(key.jwk)],
    ['its kid', key.kid],
    ['x or n as text', key.jwk.x ?? key.jwk.n ?? ''],
    ['x or n as bytes', Buffer.from(key.jwk.x ?? key.jwk.n ?? '', 'base64url')],
  ]

  test.each(encodings)('as %s is no shared secret', (_, material) => {
    const forge = (input: string): string => createHmac('sha256', material).update(input).digest('base64url')
    const keyring = createKeyring([KEY], [verifyOnly(key)])
    for (const alg of ['HS256', algorithm]) {
      for (const kid of [key.kid, undefined]) {
        const token = signed({ alg, typ: 'JWT', kid }, forge)
        expect(codeOf(token, keyring)).toBe('invalid_token')
        expect(codeOf(token, createKeyring([], [verifyOnly(key)]))).toBe('invalid_token')
      }
    }
  })
})

test('an HS256 token is refused by a ring without secrets, and one of an empty secret by every ring', () => {
  expect(codeOf(tokenWith({}), createKeyring([], [verifyOnly(EDDSA)]))).toBe('invalid_token')
  expect(codeOf(signed({ alg: 'HS256', typ: 'JWT' }, (input) => macOf(input, 'sha256', '')))).toBe(
    'invalid_token',
  )
})
