import { createAttemptKeys } from './attempts/attempt.js'
import { createPlaceFollower } from './attempts/follow-places.js'
import { MAX_RECENT_PLACES } from './attempts/limits.js'
import { purgeAttempts } from './attempts/purge.js'
import { createRecentPlaces } from './attempts/recent-places.js'
import { createAttemptStore } from './attempts/sql.js'
import type { Throttle } from './attempts/throttled-passwords.js'
import { PURGE_INTERVAL_MS, type Task } from './background.js'
import { type KeyParts, rootSecretOf } from './compose-keys.js'
import { createEventRecorder, createEventTally } from './log.js'

const PLACES_INTERVAL_MS = 60_000

/** How attempts at passwords are limited. */
export interface NodeAttempts {
  /** Null where they are not. */
  readonly throttle: Throttle | null
  /** What has to be done about them now and then. */
  readonly tasks: readonly Task[]
}

export function composeAttempts({
  config,
  generatedSecret,
  database,
  log,
  clock,
}: Omit<KeyParts, 'monotonicMs'>): NodeAttempts {
  // Also what was counted while they were limited.
  const purge: Task = {
    name: 'purge attempts',
    everyMs: PURGE_INTERVAL_MS,
    run: (stopping) => purgeAttempts(database, clock, stopping),
  }
  if (!config.rateLimit) return { throttle: null, tasks: [purge] }
  const attempts = createAttemptStore(database)
  const recentPlaces = createRecentPlaces(MAX_RECENT_PLACES)
  return {
    throttle: {
      attempts,
      recentPlaces,
      keysOf: createAttemptKeys(rootSecretOf(config, generatedSecret)),
      clock,
      onRefused: createEventTally(createEventRecorder(log), 'attempt_refused'),
    },
    tasks: [
      purge,
      {
        name: 'read known places',
        everyMs: PLACES_INTERVAL_MS,
        atStart: true,
        run: createPlaceFollower(attempts, recentPlaces, clock),
      },
    ],
  }
}
