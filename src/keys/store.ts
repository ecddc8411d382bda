import type { SealedKey } from '../core/sealed-key.js'
import type { AsymmetricAlgorithm } from '../core/signing-key.js'
import type { StoredKey } from './stored-key.js'

export interface StoredKeys {
  readonly keys: readonly StoredKey[]
  /** The database's clock, in milliseconds since the epoch. */
  readonly now: number
}

export interface NewKey extends SealedKey {
  /** Life of the tokens that it is going to sign. */
  readonly longestTokenSeconds: number
}

/** What keys need of the database. Each change is atomic, and the database tells all nodes of it. */
export interface SigningKeyStore {
  read(): Promise<StoredKeys>
  /** Records how long the tokens live that are going to be signed. False when no key has this algorithm. */
  prepare(algorithm: AsymmetricAlgorithm, longestTokenSeconds: number): Promise<boolean>
  /** Adds a key that signs at once, unless there is one with its algorithm. */
  addFirst(key: NewKey): Promise<void>
  /** Adds a key that signs when everybody has heard of it. False when another waits for its turn already. */
  addNext(key: NewKey): Promise<boolean>
  /** Removes a key; if it was the one that signs, the next one does so at once. */
  retire(kid: string): Promise<'retired' | 'unknown' | 'irreplaceable'>
  /** Removes keys whose tokens have all expired; returns how many. */
  purge(): Promise<number>
}
