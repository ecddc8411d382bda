import { parseStoredHash, type StoredHash } from './hash-format.js'

/** One account with a dear hash must not make everybody's refusals as slow: about a second, in bcrypt's rounds. */
const MAX_ROUNDS = 2 ** 14
const MAX_KINDS = 8
/** What argon2id fills in the time of one of bcrypt's rounds, in KiB; measured, and good enough for a bound. */
const KIB_PER_ROUND = 150

const SALT = 'IQ7GqWIzUpOJCwBOBdyXae'
const DIGEST = 'WxZRdFhhuMLFMCA5wRPMGbq5CmmdTzS'
/** What follows the beginning of a hash: in bcrypt, in bcrypt-sha256, in argon2id. */
const ENDINGS = [
  `$${SALT}${DIGEST}`,
  `$${SALT}$${DIGEST}`,
  '$c29tZSBzYWx0IG9mIDE2Qg$3yzhTDjhFHAMVkWYMcDqdnNb0TfQ7xbKpZIVdGlaFDs',
]

/** All hashes of one kind take the same work to compare with, whatever the password. */
export function kindOf(hash: StoredHash): string {
  if (hash.scheme !== 'argon2id') return `bcrypt cost=${hash.cost}`
  return `argon2id m=${hash.memoryKib},t=${hash.passes},p=${hash.lanes}`
}

/** A hash of nobody's password. `beginning` is everything before the salt; null where no hash that is known begins so. */
export function createDecoy(beginning: string): StoredHash | null {
  for (const ending of ENDINGS) {
    const decoy = parseStoredHash(beginning + ending)
    if (decoy !== null) return decoy
  }
  return null
}

/** One decoy of each kind, the configured one's first; without kinds that are too dear, or too many. */
export function chooseDecoys(configured: StoredHash, beginnings: readonly string[]): readonly StoredHash[] {
  const mostRounds = Math.max(MAX_ROUNDS, roundsOf(configured))
  const others = beginnings
    .flatMap((beginning) => createDecoy(beginning) ?? [])
    .filter((decoy) => roundsOf(decoy) <= mostRounds)
    .sort((left, right) => roundsOf(left) - roundsOf(right))
  const byKind = new Map([configured, ...others].map((decoy) => [kindOf(decoy), decoy]))
  return [...byKind.values()].slice(0, MAX_KINDS)
}

const roundsOf = (hash: StoredHash): number =>
  hash.scheme === 'argon2id' ? (hash.memoryKib * hash.passes) / KIB_PER_ROUND : 2 ** hash.cost
