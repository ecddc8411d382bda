import type { Clock } from '../core/clock.js'
import type { SessionStore } from './session.js'

/** Sessions remembered between two writes; more than these are not worth a longer statement. */
const MAX_REMEMBERED = 10_000

/** Notes which sessions are in use, so that "last seen" costs a request nothing and the database one write a minute. */
export interface Activity {
  note(sessionId: string): void
  /** Writes down what was noted since the last time. */
  flush(): Promise<void>
}

export function createActivity(sessions: SessionStore, clock: Clock): Activity {
  let seen = new Set<string>()
  return {
    note(sessionId) {
      if (seen.size < MAX_REMEMBERED) seen.add(sessionId)
    },
    async flush() {
      if (seen.size === 0) return
      const ids = [...seen]
      seen = new Set()
      await sessions.touch(ids, new Date(clock()))
    },
  }
}
