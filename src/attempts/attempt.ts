import { createHmac, hkdfSync } from 'node:crypto'
import { toAddressBlock } from '../core/address-block.js'
import { parseEmail } from '../core/email.js'

/** Under what an attempt is counted. HMACs: neither the account nor the address can be read from them. */
export interface AttemptKeys {
  readonly pair: Buffer
  readonly account: Buffer
  readonly address: Buffer
}

/** One attempt at a password that has been counted, as a failure until its outcome is known. */
export interface Attempt {
  readonly keys: AttemptKeys
  readonly takenAt: Date
  /** The account has been logged in to from there before: only `pair` counts it. */
  readonly isKnownPlace: boolean
}

/** What the limits for attempts need of the database; each method is atomic. */
export interface AttemptStore {
  /** Counts an attempt, or says from when there may be one. */
  take(keys: AttemptKeys, now: Date): Promise<Attempt | { readonly closedUntil: Date }>
  /** For an attempt at which no password was compared. */
  giveBack(attempt: Attempt): Promise<void>
  /** For the right password: forgets the failures of this place at this account, and remembers the place. */
  settle(attempt: Attempt): Promise<void>
  remember(place: AttemptKeys, now: Date): Promise<void>
}

export type AttemptKeysOf = (email: string, address: string) => AttemptKeys

/** All spellings of an e-mail address have the same keys, and so have all addresses of one client. */
export function createAttemptKeys(tokenSecret: string): AttemptKeysOf {
  const secret = Buffer.from(hkdfSync('sha256', tokenSecret, '', 'keyward password attempts', 32))
  // No part can hold a NUL, so no two lists make the same text.
  const keyOf = (...parts: string[]): Buffer => createHmac('sha256', secret).update(parts.join('\0')).digest()
  return (email, address) => {
    const account = parseEmail(email)?.address ?? email.toLowerCase()
    const block = toAddressBlock(address)
    return {
      pair: keyOf('pair', account, block),
      account: keyOf('account', account),
      address: keyOf('address', block),
    }
  }
}
