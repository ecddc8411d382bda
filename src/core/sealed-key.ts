import { deriveKey, seal, unseal } from './sealing.js'
import { type AsymmetricAlgorithm, importPkcs8, type PrivateKey } from './signing-key.js'

/** A private key as it may rest in a database. */
export interface SealedKey {
  readonly kid: string
  readonly algorithm: AsymmetricAlgorithm
  readonly sealed: Buffer
}

/** Seals private keys and opens them again. */
export interface KeySafe {
  seal(key: PrivateKey): SealedKey
  /** Null when it was sealed with another secret, or is not the key that it is said to be. */
  open(key: SealedKey): PrivateKey | null
}

export function createKeySafe(encryptionSecret: string): KeySafe {
  const sealingKey = deriveKey(encryptionSecret, 'keyward signing keys')
  return {
    seal(key) {
      const { kid, algorithm } = key
      return { kid, algorithm, sealed: seal(sealingKey, key.toPkcs8(), labelOf(key)) }
    },
    open(sealedKey) {
      try {
        return importPkcs8(unseal(sealingKey, sealedKey.sealed, labelOf(sealedKey)))
      } catch {
        return null
      }
    },
  }
}

/** No sealed key can be passed off as another one. */
const labelOf = ({ kid, algorithm }: Pick<SealedKey, 'kid' | 'algorithm'>): string => `${algorithm} ${kid}`
