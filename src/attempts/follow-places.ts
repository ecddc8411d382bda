import type { Clock } from '../core/clock.js'
import type { AttemptStore } from './attempt.js'
import { KNOWN_PLACE_SECONDS, MAX_RECENT_PLACES } from './limits.js'
import type { RecentPlaces } from './recent-places.js'

/** Clocks of nodes may differ by a minute, and a row may be seen a while after its time. */
const OVERLAP_MS = 2 * 60_000

/** Each call notes what has become known before this process, and since the last call through other nodes. */
export function createPlaceFollower(
  attempts: AttemptStore,
  places: RecentPlaces,
  clock: Clock,
): () => Promise<void> {
  let readUntil = 0
  return async () => {
    const now = clock()
    const since = Math.max(readUntil - OVERLAP_MS, now - KNOWN_PLACE_SECONDS * 1000)
    const newestFirst = await attempts.listPlaces(new Date(since), MAX_RECENT_PLACES)
    for (const place of newestFirst.toReversed()) places.note(place)
    readUntil = now
  }
}
