/** How failures are met that are counted under one key. */
export interface FailureLimit {
  /** So many may follow each other; the last of them brings the first wait. */
  readonly freeFailures: number
  /** Waits double up to this. */
  readonly longestWaitSeconds: number
  readonly forgetsOneAfterSeconds: number
}

const DAY_SECONDS = 86_400

/** Before a further attempt, after the last free failure. */
export const FIRST_WAIT_SECONDS = 30

/** Past this, one attempt a day: NIST SP 800-63B-4 §3.2.2 allows no more consecutive failures. */
export const MOST_FAILURES = 100
export const CLOSED_WAIT_SECONDS = DAY_SECONDS

/** A place from which an account was logged in to is known for so long after the last time. */
export const KNOWN_PLACE_SECONDS = 90 * DAY_SECONDS

/** Of these, as many as a node keeps in memory. */
export const MAX_RECENT_PLACES = 50_000

/** docs/limits.md gives the same figures (a test compares them); docs/decisions/0009 the reasons. */
export const FAILURE_LIMITS = {
  /** One client at one account. */
  pair: { freeFailures: 5, longestWaitSeconds: 15 * 60, forgetsOneAfterSeconds: DAY_SECONDS },
  /** All clients together that have never logged in to this account. */
  account: { freeFailures: 10, longestWaitSeconds: 60 * 60, forgetsOneAfterSeconds: DAY_SECONDS },
  /** One client at all accounts to which it has never logged in: many people may share its address. */
  address: { freeFailures: 50, longestWaitSeconds: 15 * 60, forgetsOneAfterSeconds: 60 },
} as const satisfies Record<string, FailureLimit>

/** Seconds to wait after the first failure, the second, and so on; the last entry is for all further ones. */
export function waitsOf({ freeFailures, longestWaitSeconds }: FailureLimit): number[] {
  return Array.from({ length: MOST_FAILURES }, (_, index) => {
    const failures = index + 1
    if (failures < freeFailures) return 0
    if (failures === MOST_FAILURES) return CLOSED_WAIT_SECONDS
    return Math.min(FIRST_WAIT_SECONDS * 2 ** (failures - freeFailures), longestWaitSeconds)
  })
}
