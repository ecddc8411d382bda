import { setTimeout } from 'node:timers/promises'
import { CLOCK_MARGIN_SECONDS } from '../core/revocation-log.js'
import type { Queryable } from '../db/database.js'

/** Rows removed in one statement, which on an embedded database takes some 10 ms during which nothing else happens. */
const BATCH_SIZE = 100
/** Between two statements, for everybody else. */
const PAUSE_MS = 10
/** Statements of one kind in one run; what is left waits for the next. */
const MAX_BATCHES = 1_000

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
  for (const [sql, values] of statements) total += await purgeInBatches(database, sql, values, stopping)
  return total
}

async function purgeInBatches(
  database: Queryable,
  sql: string,
  values: readonly number[],
  stopping?: AbortSignal,
): Promise<number> {
  let total = 0
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    if (stopping?.aborted) break
    const removed = (await database.query(sql, [BATCH_SIZE, ...values])).length
    total += removed
    if (removed < BATCH_SIZE) break
    await setTimeout(PAUSE_MS)
  }
  return total
}
