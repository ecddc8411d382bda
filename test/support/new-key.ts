import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { type AsymmetricAlgorithm, importPrivateKey, type PrivateKey } from '../../src/core/signing-key.js'

/** A new key at once, unlike the server's own, which is made on another thread. */
export function newPrivateKey(algorithm: AsymmetricAlgorithm): PrivateKey {
  return importPrivateKey(KINDS[algorithm]().privateKey)
}

const KINDS: Record<AsymmetricAlgorithm, () => { privateKey: KeyObject }> = {
  EdDSA: () => generateKeyPairSync('ed25519'),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 3072 }),
}
