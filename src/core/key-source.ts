import type { Keyring } from './keyring.js'

/** Where the keys come from that tokens are checked with. */
export interface KeySource {
  /** The keys that may be relied on now: from memory, at once. */
  keyring(): Keyring
  /**
   * A token names a key that is not there: asks for newer keys where that is possible and not too often, and says whether
   * the keyring, looked at again, is up to date. False: an unknown key may still be a good one. Never rejects.
   */
  learn(): boolean | Promise<boolean>
}

/** Keys that are all given and never change. */
export const fixedKeys = (keyring: Keyring): KeySource => ({ keyring: () => keyring, learn: () => true })
