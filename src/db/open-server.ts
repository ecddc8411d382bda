import pg from 'pg'
import { parseConnectionUrl } from './connection-url.js'
import type { Database } from './database.js'
import { createPoolDatabase } from './pool-database.js'
import { utcTimestamps } from './timestamps.js'

/** A query that has no answer by then is given up, so that a client hears 503 within 2 s. */
const QUERY_DEADLINE_MS = 1_800
const MAX_CONNECTIONS = 10

/** Opens a pool on a PostgreSQL server. Nothing is connected before the first query. */
export function openServerDatabase(url: string, onIdleError: (error: Error) => void): Database {
  const { connectionString, ssl } = parseConnectionUrl(url)
  const pool = new pg.Pool({
    connectionString,
    ssl,
    types: utcTimestamps,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: QUERY_DEADLINE_MS,
    idleTimeoutMillis: 30_000,
    application_name: 'keyward',
    keepAlive: true,
  })
  return createPoolDatabase(pool, { deadlineMs: QUERY_DEADLINE_MS, onIdleError })
}
