import { CompactEncrypt, EncryptJWT } from 'jose'
import { CLAIMS, SECRET } from '../../core/sample-token.js'
import type { Forgery } from './forged-headers.js'
import type { Victim } from './victims.js'

/** RFC 8725 §3.3, CVE-2023-51774: anybody can encrypt to a public key; that is no signature. */
export async function encrypted({ algorithm, header, valid, pair }: Victim): Promise<Forgery[]> {
  // Nothing can be encrypted to an Ed25519 key.
  if (algorithm === 'EdDSA') return []
  const key = pair?.publicKey ?? Buffer.from(SECRET)
  const alg = { HS256: 'dir', ES256: 'ECDH-ES', RS256: 'RSA-OAEP-256' }[algorithm]
  const protectedHeader = { ...header, alg, enc: 'A256GCM' }
  const claims = new EncryptJWT({ ...CLAIMS }).setProtectedHeader(protectedHeader)
  const nested = new CompactEncrypt(Buffer.from(valid)).setProtectedHeader({ ...protectedHeader, cty: 'JWT' })
  return [
    ['claims encrypted to the key', await claims.encrypt(key)],
    ['a valid token encrypted to the key', await nested.encrypt(key)],
  ]
}
