import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { importPublicJwk, type PrivateKey } from '../../src/core/signing-key.js'
import { readKeyFiles } from '../../src/keys/key-files.js'
import { makeTempFolder } from '../support/temp-folder.js'
import { newPrivateKey } from '../support/new-key.js'

const [FIRST, SECOND] = [newPrivateKey('EdDSA'), newPrivateKey('ES256')]
const pemOf = (key: PrivateKey): string =>
  `-----BEGIN PRIVATE KEY-----\n${key.toPkcs8().toString('base64')}\n-----END PRIVATE KEY-----\n`
const publicPemOf = ({ jwk }: PrivateKey): string =>
  createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'pem', type: 'spki' }).toString()

const newJwk = (kind: 'ed25519' | 'P-256') =>
  (kind === 'ed25519'
    ? generateKeyPairSync('ed25519')
    : generateKeyPairSync('ec', { namedCurve: kind })
  ).privateKey.export({ format: 'jwk' })

let files = 0
const write = (content: string | Buffer): string => {
  const path = join(makeTempFolder(), `key-${++files}`)
  writeFileSync(path, content)
  return path
}
const read = (...contents: string[]) => readKeyFiles(contents.map(write), 'EdDSA')

test('the first file signs, the others verify', () => {
  const ring = read(pemOf(FIRST), publicPemOf(SECOND))
  expect(ring.map(({ key, signsFrom }) => [key.kid, 'sign' in key, signsFrom])).toEqual([
    [FIRST.kid, true, 0],
    [SECOND.kid, false, Number.POSITIVE_INFINITY],
  ])
})

test('none of them signs while a shared secret does', () => {
  const [only] = readKeyFiles([write(pemOf(FIRST))], 'HS256')
  expect([only?.key.kid, only?.signsFrom]).toEqual([FIRST.kid, Number.POSITIVE_INFINITY])
})

test('a file may hold a JWK, private or public', () => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const jwk = privateKey.export({ format: 'jwk' })
  const { kid } = importPublicJwk(jwk)
  const ring = read(JSON.stringify(jwk), JSON.stringify(SECOND.jwk, null, 2))
  expect(ring.map(({ key }) => [key.kid, 'sign' in key])).toEqual([
    [kid, true],
    [SECOND.kid, false],
  ])
  expect(importPublicJwk(jwk).verifies('text', (ring[0]!.key as PrivateKey).sign('text'))).toBe(true)
})

describe('a start is refused, in words that name the file and quote nothing of it', () => {
  const secret = 'd3adbeefC4nary'
  test.each<[string, string[], string]>([
    ['a public key first', [publicPemOf(FIRST)], 'comes first, so it must hold a private key'],
    ['a key for another algorithm first', [pemOf(SECOND)], 'is a key for ES256, and JWT_ALGORITHM is EdDSA'],
    ['the same key twice', [pemOf(FIRST), publicPemOf(FIRST)], 'holds a key twice'],
    ['an empty file', [''], 'neither PEM nor JWK'],
    ['text', [secret], 'neither PEM nor JWK'],
    ['broken JSON', [`{"kty":"OKP","d":"${secret}`], 'neither PEM nor JWK'],
    [
      'a broken PEM',
      [`-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`],
      'neither PEM nor JWK',
    ],
    ['a shared secret', [`{"kty":"oct","k":"${secret}"}`], 'neither PEM nor JWK'],
    [
      'a key for encryption',
      [
        JSON.stringify({
          ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }),
          use: 'enc',
        }),
      ],
      'not for signatures',
    ],
    ...(['ed25519', 'P-256'] as const).map((kind): [string, string[], string] => [
      `the halves of two ${kind} keys`,
      [JSON.stringify({ ...newJwk(kind), d: newJwk(kind).d })],
      'do not belong together',
    ]),
    [
      'RSA with 2048 bits',
      [
        generateKeyPairSync('rsa', { modulusLength: 2048 })
          .privateKey.export({ format: 'pem', type: 'pkcs8' })
          .toString(),
      ],
      'An RSA key must have 3072 to 8192 bits',
    ],
  ])('%s', (_, contents, words) => {
    expect(() => read(...contents)).toThrow(words)
    expect(() => read(...contents)).toThrow(/^JWT_KEY_FILES/)
    expect(() => read(...contents)).not.toThrow(secret)
  })

  test('a file that is not there', () => {
    expect(() => readKeyFiles(['/nowhere/key.pem'], 'EdDSA')).toThrow('/nowhere/key.pem cannot be read')
  })
})
