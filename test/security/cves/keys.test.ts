import {
  constants,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type JsonWebKey,
} from 'node:crypto'
import { describe, expect, test, vi } from 'vitest'
import { importPublicJwk } from '../../../src/core/signing-key.js'
import { createGuard } from '../../../src/guard/index.js'
import { CLAIMS, NOW } from '../../core/sample-token.js'
import { PRESENT, readClaims, SECRET, useTestApp } from '../../support/test-app.js'

// Which key a token is checked with, and how keys are kept (docs/security/cves.md).

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

/** What anybody can make of a published key. */
function formsOf(jwk: JsonWebKey): (string | Buffer)[] {
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  const pem = key.export({ format: 'pem', type: 'spki' }).toString()
  const der = key.export({ format: 'der', type: 'spki' })
  const spaces = [' ', '\n', '\t', '\r\n', '\uFEFF', '\u00A0']
  return [
    pem,
    pem.trim(),
    pem.replaceAll('\n', '\r\n'),
    ...spaces.map((space) => space + pem),
    ...spaces.map((space) => pem + space),
    der,
    der.toString('base64'),
    JSON.stringify(jwk),
    String(jwk.kid),
    '',
  ]
}

describe.each(['RS256', 'EdDSA'])(
  'where tokens are signed with %s, and a shared secret still counts',
  (algorithm) => {
    const app = useTestApp({
      startAt: PRESENT,
      environment: {
        BETTER_AUTH_SECRET: '',
        BETTER_AUTH_SECRET_PREVIOUS: SECRET,
        JWT_ALGORITHM: algorithm,
        KEY_ENCRYPTION_SECRET: 'tB6yWq1ZsXn8RmVc4LdKf7PjHg2UeAo9',
      },
    })

    test('the public key is no shared secret, in whatever form (CVE-2023-48223, CVE-2026-34950)', async () => {
      const { id, token } = await app.newUser()
      const [jwk] = (await app.get('/.well-known/jwks.json')).body.keys
      const judge = async (header: object, secret: string | Buffer) => {
        const input = `${encode(header)}.${encode(readClaims(token))}`
        const mac = createHmac('sha256', secret).update(input).digest('base64url')
        const { status, body } = await app.get('/api/auth/profile', `${input}.${mac}`)
        return status === 200 ? body.id : body.code
      }
      expect(await judge({ alg: 'HS256', typ: 'JWT' }, SECRET)).toBe(id)
      for (const form of formsOf(jwk)) {
        for (const header of [
          { alg: 'HS256' },
          { alg: 'HS256', kid: jwk.kid },
          { alg: algorithm, kid: jwk.kid },
        ]) {
          expect(await judge({ typ: 'JWT', ...header }, form)).toBe('invalid_token')
        }
      }
    })
  },
)

test('a key that names no algorithm still has but one (CVE-2026-22817, CVE-2026-22818)', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 3072 })
  const jwk = publicKey.export({ format: 'jwk' })
  expect(jwk).not.toHaveProperty('alg')
  const guard = createGuard({ keys: [jwk], clock: () => NOW })
  const { kid } = importPublicJwk(jwk)
  const judge = (alg: string, signer: (input: Buffer) => Buffer) => {
    const input = `${encode({ alg, typ: 'JWT', kid })}.${encode(CLAIMS)}`
    return guard.check(`Bearer ${input}.${signer(Buffer.from(input)).toString('base64url')}`)
  }
  const rsa = (hash: string) => (input: Buffer) => sign(hash, input, privateKey)
  const pss = (hash: string) => (input: Buffer) =>
    sign(hash, input, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 })
  const mac = (input: Buffer) =>
    createHmac('sha256', publicKey.export({ format: 'pem', type: 'spki' }))
      .update(input)
      .digest()
  expect(judge('RS256', rsa('sha256'))).toMatchObject({ ok: true })
  const invalid = { ok: false, code: 'invalid_token' }
  expect(judge('RS384', rsa('sha384'))).toEqual(invalid)
  expect(judge('RS512', rsa('sha512'))).toEqual(invalid)
  expect(judge('PS256', pss('sha256'))).toEqual(invalid)
  expect(judge('RS256', pss('sha256'))).toEqual(invalid)
  expect(judge('HS256', mac)).toEqual(invalid)
  expect(judge('none', () => Buffer.alloc(0))).toEqual(invalid)
})

test('no nonce comes twice, also after a restart (CVE-2026-109140)', async () => {
  const NONCE_BYTES = 12
  const nonces = new Set<string>()
  for (let start = 0; start < 3; start++) {
    vi.resetModules()
    const { deriveKey, seal } = await import('../../../src/core/sealing.js')
    const key = deriveKey(SECRET, 'test')
    for (let i = 0; i < 1_000; i++) {
      nonces.add(seal(key, Buffer.from('the same content'), 'label').subarray(0, NONCE_BYTES).toString('hex'))
    }
  }
  expect(nonces.size).toBe(3_000)
})
