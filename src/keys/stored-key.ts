import type { SealedKey } from '../core/sealed-key.js'

/**
 * How long a key is known before it signs, in seconds: longer than a node or a guard can go without news of keys, and than
 * their clocks can differ. A key goes on verifying for as long after its last token has expired.
 */
export const KEY_PROPAGATION_SECONDS = 300

/** A key in the database. Times are by the database's clock, in milliseconds since the epoch. */
export interface StoredKey extends SealedKey {
  readonly createdAt: number
  readonly signsFrom: number
  /** Life of the longest-lived token that it may have signed. */
  readonly longestTokenSeconds: number
}

/** Until when a key verifies: until the last token has expired that it signed before the next of its algorithm did. */
export function verifiesUntil(key: StoredKey, keys: readonly StoredKey[]): number {
  const turns = keys
    .filter((other) => other.algorithm === key.algorithm && isBefore(key, other))
    .map(({ signsFrom }) => signsFrom)
  return Math.min(...turns) + (key.longestTokenSeconds + KEY_PROPAGATION_SECONDS) * 1000
}

/** The order in which keys sign. */
const isBefore = (a: StoredKey, b: StoredKey): boolean =>
  a.signsFrom < b.signsFrom || (a.signsFrom === b.signsFrom && a.kid < b.kid)

/** Whether a key can be done without, and which one then has to sign at once. */
export function planRetirement(
  keys: readonly StoredKey[],
  kid: string,
  now: number,
): 'unknown' | 'irreplaceable' | { readonly promoted: string | null } {
  const retiring = keys.find((key) => key.kid === kid)
  if (retiring === undefined) return 'unknown'
  const others = keys.filter((key) => key.algorithm === retiring.algorithm && key !== retiring)
  const hasBegun = ({ signsFrom }: StoredKey): boolean => signsFrom <= now
  const isReplaced = others.some((other) => hasBegun(other) && isBefore(retiring, other))
  if (isReplaced || (!hasBegun(retiring) && others.some(hasBegun))) return { promoted: null }
  // It is the one that signs. An older one must not come back in its place.
  const [next] = others.filter((other) => !hasBegun(other)).sort((a, b) => a.signsFrom - b.signsFrom)
  if (next !== undefined) return { promoted: next.kid }
  const hasSuccessor = keys.some(
    ({ algorithm, createdAt }) => algorithm !== retiring.algorithm && createdAt > retiring.createdAt,
  )
  return hasSuccessor ? { promoted: null } : 'irreplaceable'
}

export type KeyState = 'waits' | 'signs' | 'verifies' | 'expired'

/** What a key does at this time; `keys` are in the order in which they sign. */
export function stateOf(key: StoredKey, keys: readonly StoredKey[], now: number): KeyState {
  const ofItsKind = keys.filter(({ algorithm }) => algorithm === key.algorithm)
  const signing = ofItsKind.findLast(({ signsFrom }) => signsFrom <= now) ?? ofItsKind[0]
  if (key === signing) return 'signs'
  if (key.signsFrom > now) return 'waits'
  return now < verifiesUntil(key, keys) ? 'verifies' : 'expired'
}
