import { type Clock, CLOCK_MARGIN_SECONDS } from '../core/clock.js'
import { deleteInBatches } from '../db/delete-in-batches.js'
import type { Queryable } from '../db/database.js'
import { KNOWN_PLACE_SECONDS } from './limits.js'

const FORGOTTEN_FAILURES = `
  delete from keyward_password_attempts where key in (
    select key from keyward_password_attempts
     where forgotten_at < $2 and open_at < $2 limit $1 for update skip locked)
  returning 1`

const FORGOTTEN_PLACES = `
  delete from keyward_known_places where key in (
    select key from keyward_known_places where last_login_at < $2 limit $1 for update skip locked)
  returning 1`

/** Removes what no longer limits anybody; returns how many rows. Ends early once `stopping` is aborted. */
export async function purgeAttempts(
  database: Queryable,
  clock: Clock,
  stopping?: AbortSignal,
): Promise<number> {
  const before = (seconds: number): string => new Date(clock() - seconds * 1000).toISOString()
  return (
    (await deleteInBatches(database, FORGOTTEN_FAILURES, [before(CLOCK_MARGIN_SECONDS)], stopping)) +
    (await deleteInBatches(
      database,
      FORGOTTEN_PLACES,
      [before(CLOCK_MARGIN_SECONDS + KNOWN_PLACE_SECONDS)],
      stopping,
    ))
  )
}
