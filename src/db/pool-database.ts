import pg from 'pg'
import { Refusal } from '../errors.js'
import type { Database, Queryable } from './database.js'

interface PoolDatabaseOptions {
  /** Longest time for one query, waiting for a connection included, in milliseconds; null for no limit. */
  readonly deadlineMs: number | null
  /** Told of connections that broke while nobody used them. */
  readonly onIdleError?: (error: Error) => void
  /** Runs after the pool has ended. */
  readonly afterClose?: () => Promise<void>
}

// pg reads `query_timeout` per query, which its types do not know.
type TimedQuery = pg.QueryConfig & { query_timeout?: number }

const RETRY_AFTER_SECONDS = 1

/** A `Database` over a pg pool. The pool's `connectionTimeoutMillis` must be `deadlineMs`. */
export function createPoolDatabase(pool: pg.Pool, options: PoolDatabaseOptions): Database {
  const { deadlineMs } = options
  // Without a listener, a connection that breaks while idle would end the process.
  pool.on('error', (error) => options.onIdleError?.(error))

  async function withClient<T>(work: (client: pg.PoolClient, connectMs: number) => Promise<T>): Promise<T> {
    const began = performance.now()
    const client = await pool.connect().catch(refuse)
    let broken = false
    try {
      return await work(client, performance.now() - began)
    } catch (error) {
      broken = isUnavailable(error)
      return refuse(error)
    } finally {
      client.release(broken)
    }
  }

  async function query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]> {
    return withClient(async (client, connectMs) => {
      const timed: TimedQuery = { text }
      if (values) timed.values = [...values]
      // At least 1 ms: pg takes 0 for "no timeout".
      if (deadlineMs !== null) timed.query_timeout = Math.max(1, Math.round(deadlineMs - connectMs))
      return (await client.query<Row>(timed)).rows
    })
  }

  async function transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T> {
    return withClient(async (client) => {
      await client.query('begin')
      try {
        const result = await work({
          query: async <Row extends object>(text: string, values?: readonly unknown[]) =>
            (await client.query<Row>(text, values && [...values])).rows,
        })
        await client.query('commit')
        return result
      } catch (error) {
        if (!isUnavailable(error)) await client.query('rollback')
        throw error
      }
    })
  }

  async function close(): Promise<void> {
    await pool.end()
    await options.afterClose?.()
  }

  return { query, transaction, close }
}

function refuse(error: unknown): never {
  if (!isUnavailable(error)) throw error
  throw new Refusal('database_unavailable', { retryAfterSeconds: RETRY_AFTER_SECONDS, cause: error })
}

// SQLSTATE classes 08 (connection), 28 (authorization), 3D (no such database), 53 (out of resources),
// 57P (shutting down or starting up); 25006 is a server that became a read-only standby.
const UNAVAILABLE_SQLSTATE = /^(08|28|3D|53|57P|25006)/

function isUnavailable(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return UNAVAILABLE_SQLSTATE.test(error.code ?? '')
  if (error instanceof Refusal || error instanceof TypeError || error instanceof RangeError) return false
  // What pg itself raises (refused, reset, timed out, ended) carries no SQLSTATE.
  return error instanceof Error && isRaisedByConnection(error)
}

const CONNECTION_ERRNO = /^E[A-Z_]+$/
const CONNECTION_MESSAGE = /timeout|terminated|connection|connect|SSL|certificate/i

function isRaisedByConnection(error: Error): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return (typeof code === 'string' && CONNECTION_ERRNO.test(code)) || CONNECTION_MESSAGE.test(error.message)
}
