import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  webcrypto,
} from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { calculateJwkThumbprint, createLocalJWKSet, importPKCS8, jwtVerify, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { signAccessToken, verifyAccessToken } from '../../src/core/access-token.js'
import { createKeyring, publicKeySet, verifyOnly } from '../../src/core/keyring.js'
import {
  type AsymmetricAlgorithm,
  generatePrivateKey,
  importPkcs8,
  importPrivateKey,
  importPublicJwk,
  importPublicKey,
  type PrivateKey,
} from '../../src/core/signing-key.js'
import { newPrivateKey } from '../support/new-key.js'
import { CLAIMS, NOW, RULES } from './sample-token.js'

const KEYS = (['EdDSA', 'ES256', 'RS256'] as const).map((algorithm): [AsymmetricAlgorithm, PrivateKey] => [
  algorithm,
  newPrivateKey(algorithm),
])
const pemOf = (key: PrivateKey): string =>
  `-----BEGIN PRIVATE KEY-----\n${key.toPkcs8().toString('base64')}\n-----END PRIVATE KEY-----`

describe.each(KEYS)('a key for %s', (algorithm, key) => {
  const keyring = createKeyring([], [verifyOnly(key)])

  test('signs tokens that another implementation accepts with the published key set', async () => {
    const { payload, protectedHeader } = await jwtVerify(
      signAccessToken(key, CLAIMS),
      createLocalJWKSet(publicKeySet(keyring, NOW)),
      { algorithms: [algorithm], issuer: 'keyward', currentDate: new Date(NOW) },
    )
    expect(payload).toEqual(CLAIMS)
    expect(protectedHeader).toEqual({ alg: algorithm, typ: 'JWT', kid: key.kid })
  })

  test('accepts tokens that another implementation signs with it', async () => {
    const token = await new SignJWT({ ...CLAIMS })
      .setProtectedHeader({ kid: key.kid, alg: algorithm })
      .sign(await importPKCS8(pemOf(key), algorithm))
    expect(verifyAccessToken(keyring, token, RULES, NOW)).toMatchObject({ ok: true })
  })

  test('is named by its RFC 7638 thumbprint and published without anything private', async () => {
    expect(key.kid).toBe(await calculateJwkThumbprint(key.jwk, 'sha256'))
    const { kty, kid, alg, use, ...material } = key.jwk
    expect({ kid, alg, use }).toEqual({ kid: key.kid, alg: algorithm, use: 'sig' })
    const members = { OKP: ['crv', 'x'], EC: ['crv', 'x', 'y'], RSA: ['e', 'n'] }[kty]
    expect(Object.keys(material).sort()).toEqual(members)
  })

  test('is the same after it was written down and read again', () => {
    const again = importPkcs8(key.toPkcs8())
    expect([again.algorithm, again.kid, again.jwk]).toEqual([key.algorithm, key.kid, key.jwk])
    expect(key.verifies('text', again.sign('text'))).toBe(true)
    expect(importPublicJwk(key.jwk).verifies('text', again.sign('text'))).toBe(true)
  })

  test('refuses a signature of another text, of another key, cut short, or spelled in another way', () => {
    const signature = key.sign('text')
    expect(key.verifies('text', signature)).toBe(true)
    expect(key.verifies('Text', signature)).toBe(false)
    expect(key.verifies('text', newPrivateKey('EdDSA').sign('text'))).toBe(false)
    for (const wrong of [
      '',
      signature.slice(0, -4),
      `${signature}AAAA`,
      `${signature}=`,
      ` ${signature}`,
      `${signature}\n`,
    ]) {
      expect(key.verifies('text', wrong), wrong).toBe(false)
    }
  })
})

test('a JWK is refused when it says another algorithm or another use, or is a shared secret', () => {
  const { jwk } = newPrivateKey('ES256')
  expect(() => importPublicJwk({ ...jwk, alg: 'RS256' })).toThrow('another algorithm')
  expect(() => importPublicJwk({ ...jwk, use: 'enc' })).toThrow('not for signatures')
  for (const key_ops of [['encrypt'], ['deriveKey', 'sign'], [], 'verify', null]) {
    expect(() => importPublicJwk({ ...jwk, key_ops }), String(key_ops)).toThrow('not for signatures')
  }
  expect(() => importPublicJwk({ kty: 'oct', k: 'A'.repeat(43) })).toThrow()
})

test('a JWK is taken as the Web Crypto API exports it, with its operations', async () => {
  const pair = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ])
  const jwks = await Promise.all(
    [pair.privateKey, pair.publicKey].map((key) => webcrypto.subtle.exportKey('jwk', key)),
  )
  expect(jwks.map(({ key_ops }) => key_ops)).toEqual([['sign'], ['verify']])
  const [kid, ...others] = jwks.map((jwk) => importPublicJwk(jwk as JsonWebKey).kid)
  expect(others).toEqual([kid])
})

test('the server makes a key of each algorithm', async () => {
  for (const [algorithm] of KEYS) {
    const key = await generatePrivateKey(algorithm)
    expect([key.algorithm, key.verifies('text', key.sign('text'))]).toEqual([algorithm, true])
  }
})

test('while an RSA key is made, which takes long, everything else goes on', async () => {
  let isMade = false
  const made = generatePrivateKey('RS256').then(() => {
    isMade = true
  })
  await setImmediate()
  expect(isMade).toBe(false)
  await made
})

test('the kid that a JWK says of itself is not believed', () => {
  const { jwk, kid } = newPrivateKey('ES256')
  expect(importPublicJwk({ ...jwk, kid: 'somebody-else' }).kid).toBe(kid)
})

test('an ES256 signature is R and S of 32 bytes each, as a JWS has it', () => {
  expect(Buffer.from(newPrivateKey('ES256').sign('text'), 'base64url')).toHaveLength(64)
})

const rsa = (modulusLength: number, publicExponent = 65_537) =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent }).privateKey
const OTHER_KIND = 'neither Ed25519, P-256 nor RSA'
test.each<[string, () => KeyObject, string]>([
  ['RSA with 2048 bits', () => rsa(2048), '3072 to 8192 bits'],
  ['RSA with the exponent 3', () => rsa(3072, 3), 'exponent of the RSA key is too small'],
  ['RSA for PSS alone', () => generateKeyPairSync('rsa-pss', { modulusLength: 3072 }).privateKey, OTHER_KIND],
  ['Ed448', () => generateKeyPairSync('ed448').privateKey, OTHER_KIND],
  ['X25519', () => generateKeyPairSync('x25519').privateKey, OTHER_KIND],
  ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey, OTHER_KIND],
  ['secp256k1', () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey, OTHER_KIND],
])('%s is refused', (_, generate, words) => {
  const key = generate()
  expect(() => importPrivateKey(key)).toThrow(words)
  expect(() => importPublicKey(createPublicKey(key))).toThrow(words)
})

test('a key put together from two is refused, in words', () => {
  const [one, other] = [0, 1].map(() =>
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  )
  const key = createPrivateKey({ key: { ...one, d: other!.d! }, format: 'jwk' })
  expect(() => importPrivateKey(key)).toThrow('halves of the key do not belong together')
})

test('an RSA key has 8192 bits at most', () => {
  const ofBytes = (length: number) =>
    importPublicJwk({ kty: 'RSA', e: 'AQAB', n: Buffer.alloc(length, 0xff).toString('base64url') })
  expect(ofBytes(1024).algorithm).toBe('RS256')
  expect(() => ofBytes(1025)).toThrow('3072 to 8192 bits')
})
