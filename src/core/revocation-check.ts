import type { RevocationLog } from './revocation-log.js'

/**
 * Whether a session has ended, as far as this process knows. `stale`: it has heard nothing for too long to say.
 * Answers from memory: no database, no network.
 */
export type RevocationCheck = (sessionId: string) => 'live' | 'ended' | 'stale'

export interface StalenessRule {
  /** How old the news may be, in milliseconds. */
  readonly maxAgeMs: number
  /** What to do with older news: refuse every token (fail closed), or accept those not known to be ended. */
  readonly whenStale: 'refuse' | 'accept'
}

export function createRevocationCheck(
  log: RevocationLog,
  ageMs: () => number,
  { maxAgeMs, whenStale }: StalenessRule,
): RevocationCheck {
  return (sessionId) => {
    // An end that is known stays known, however old the news.
    if (log.has(sessionId)) return 'ended'
    // Written so that an age or a limit that is no number, or a rule that is none, lets nobody in.
    return whenStale === 'accept' || ageMs() <= maxAgeMs ? 'live' : 'stale'
  }
}
