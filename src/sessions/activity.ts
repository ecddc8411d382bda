import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../core/clock.js'
import type { SessionStore } from './session.js'

/** Sessions remembered between two writes; more than these are not worth a longer statement. */
const MAX_REMEMBERED = 10_000

/** Ids in one statement, which an embedded database is busy with for some 15 ms. */
const BATCH_SIZE = 100

/** Notes which sessions are in use, so that "last seen" costs a request nothing and the database few writes a minute. */
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
      const now = new Date(clock())
      for (let i = 0; i < ids.length; i += BATCH_SIZE) {
        await sessions.touch(ids.slice(i, i + BATCH_SIZE), now)
        // Others come in between.
        await setImmediate()
      }
    },
  }
}
