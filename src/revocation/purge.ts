import { CLOCK_MARGIN_SECONDS } from '../core/clock.js'
import { deleteInBatches } from '../db/delete-in-batches.js'
import type { Queryable } from '../db/database.js'

// The database's clock decides, and every row outlives the last token that it concerns by a margin. Two nodes may
// purge at once: each skips what the other holds.
const CUTOFF = `now() - interval '${CLOCK_MARGIN_SECONDS} seconds'`

const EXPIRED_SESSIONS = `
  delete from keyward_sessions where id in (
    select id from keyward_sessions where expires_at < ${CUTOFF} limit $1 for update skip locked)
  returning 1`

const ENDED_SESSIONS = `
  delete from keyward_sessions where id in (
    select id from keyward_sessions
     where ended_at is not null and access_expires_at < ${CUTOFF} limit $1 for update skip locked)
  returning 1`

const REVOCATIONS = `
  delete from keyward_revocations where seq in (
    select seq from keyward_revocations where expires_at < ${CUTOFF} limit $1 for update skip locked)
  returning 1`

// Tokens spent so long ago that their session, had it not been refreshed since, would be idle-expired.
const SPENT_REFRESH_TOKENS = `
  delete from keyward_refresh_tokens where token_hash in (
    select token_hash from keyward_refresh_tokens as token
      join keyward_sessions as session on session.id = session_id and refresh_hash <> token_hash
     where token.created_at < ${CUTOFF} - $2 * interval '1 second' limit $1 for update of token skip locked)
  returning 1`

/**
 * Removes what no token needs any more: ended and expired sessions, old spent refresh tokens, rows of the feed. Resolves
 * with how many; ends early once `stopping` is aborted.
 */
export async function purge(
  database: Queryable,
  sessionIdleTtlSeconds: number,
  stopping?: AbortSignal,
): Promise<number> {
  const statements: [string, number[]][] = [
    [EXPIRED_SESSIONS, []],
    [ENDED_SESSIONS, []],
    [SPENT_REFRESH_TOKENS, [sessionIdleTtlSeconds]],
    [REVOCATIONS, []],
  ]
  let total = 0
  for (const [sql, values] of statements) total += await deleteInBatches(database, sql, values, stopping)
  return total
}
