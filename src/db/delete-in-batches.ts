import { setTimeout } from 'node:timers/promises'
import type { Queryable } from './database.js'

/** Rows removed in one statement, which on an embedded database takes some 10 ms during which nothing else happens. */
const BATCH_SIZE = 100
/** Between two statements, for everybody else. */
const PAUSE_MS = 10
/** Statements in one run; what is left waits for the next. */
const MAX_BATCHES = 1_000

/**
 * Repeats a statement that deletes up to `$1` rows and returns one each, until there are no more of them; returns how
 * many. The statement's further parameters are `values`. Ends early once `stopping` is aborted.
 */
export async function deleteInBatches(
  database: Queryable,
  sql: string,
  values: readonly unknown[],
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
