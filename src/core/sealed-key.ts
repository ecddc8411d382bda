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
  /** Null when it was sealed with none of the secrets, or is not the key that it is said to be. */
  open(key: SealedKey): PrivateKey | null
}

/** Seals with the current secret; what was sealed with a previous one opens as well. */
export function createKeySafe(currentSecret: string, previousSecrets: readonly string[] = []): KeySafe {
  const toSealingKey = (secret: string): Buffer => deriveKey(secret, 'keyward signing keys')
  const current = toSealingKey(currentSecret)
  const all = [current, ...previousSecrets.map(toSealingKey)]
  return {
    seal(key) {
      const { kid, algorithm } = key
      return { kid, algorithm, sealed: seal(current, key.toPkcs8(), labelOf(key)) }
    },
    open(sealedKey) {
      for (const sealingKey of all) {
        const key = openWith(sealingKey, sealedKey)
        if (key !== null) return key
      }
      return null
    },
  }
}

function openWith(sealingKey: Buffer, sealedKey: SealedKey): PrivateKey | null {
  try {
    return importPkcs8(unseal(sealingKey, sealedKey.sealed, labelOf(sealedKey)))
  } catch {
    return null
  }
}

/** No sealed key can be passed off as another one. */
const labelOf = ({ kid, algorithm }: Pick<SealedKey, 'kid' | 'algorithm'>): string => `${algorithm} ${kid}`
