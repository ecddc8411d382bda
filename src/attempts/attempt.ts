import { createHmac } from 'node:crypto'
import { toAddressBlock } from '../core/address-block.js'
import { parseEmail } from '../core/email.js'
import { deriveKey } from '../core/sealing.js'

/** Under what an attempt is counted. HMACs: neither the account nor the address can be read from them. */
export interface AttemptKeys {
  readonly pair: Buffer
  readonly account: Buffer
  readonly address: Buffer
}

/** One client at one account. */
export type Place = Pick<AttemptKeys, 'pair'>

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
  remember(place: Place, now: Date): Promise<void>
  /** The places that became known, or were used again a day or more later, after `since`: the newest, newest first. */
  listPlaces(since: Date, limit: number): Promise<Place[]>
  /** Forgets all failures at an account, wherever they came from; false when there were none. */
  forget(account: Buffer): Promise<boolean>
}

export type AttemptKeysOf = (email: string, address: string) => AttemptKeys

const KEY_BYTES = 32
/** The keys of an account and of its pairs begin with the same half, so that one range holds all counted at it. */
const SHARED_BYTES = KEY_BYTES / 2

/** All spellings of an e-mail address have the same keys, and so have all addresses of one client. */
export function createAttemptKeys(rootSecret: string): AttemptKeysOf {
  const keyOf = createKeyed(rootSecret)
  return (email, address) => {
    const account = accountOf(email)
    const block = toAddressBlock(address)
    const accountKey = keyOf('account', account)
    return {
      pair: Buffer.concat([accountKey.subarray(0, SHARED_BYTES), keyOf('pair', account, block)], KEY_BYTES),
      account: accountKey,
      address: keyOf('address', block),
    }
  }
}

/** The key of an account alone. */
export function createAccountKey(rootSecret: string): (email: string) => Buffer {
  const keyOf = createKeyed(rootSecret)
  return (email) => keyOf('account', accountOf(email))
}

/** The first and the last key that can belong to an account: its own and those of its pairs. */
export function keysAt(account: Buffer): readonly [first: Buffer, last: Buffer] {
  const shared = account.subarray(0, SHARED_BYTES)
  const filledWith = (byte: number): Buffer => Buffer.concat([shared, Buffer.alloc(SHARED_BYTES, byte)])
  return [filledWith(0x00), filledWith(0xff)]
}

function createKeyed(rootSecret: string): (...parts: string[]) => Buffer {
  const secret = deriveKey(rootSecret, 'keyward password attempts')
  // No part can hold a NUL, so no two lists make the same text.
  return (...parts) => createHmac('sha256', secret).update(parts.join('\0')).digest()
}

const accountOf = (email: string): string => parseEmail(email)?.address ?? email.toLowerCase()
