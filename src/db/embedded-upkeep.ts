import type pg from 'pg'

const CHECKPOINT_INTERVAL_MS = 5 * 60_000
/** A table of 100,000 rows takes it a fifth of a second, in which the process does nothing else. */
const VACUUM_INTERVAL_MS = 60 * 60_000

/**
 * Does by timers what a server's background processes do: without checkpoints the write-ahead log would grow for ever,
 * without vacuum every table. Returns how to stop.
 */
export function startUpkeep(pool: pg.Pool): () => void {
  const ignoreFailure = (): void => {}
  const timers = [
    setInterval(() => void pool.query('checkpoint').catch(ignoreFailure), CHECKPOINT_INTERVAL_MS),
    setInterval(() => void vacuumTables(pool).catch(ignoreFailure), VACUUM_INTERVAL_MS),
  ]
  for (const timer of timers) timer.unref()
  return () => timers.forEach(clearInterval)
}

/** One table at a time, so that others come in between. */
export async function vacuumTables(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    "select format('%I.%I', schemaname, relname) as name from pg_stat_user_tables",
  )
  for (const { name } of rows) {
    await pool.query(`vacuum ${name}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
