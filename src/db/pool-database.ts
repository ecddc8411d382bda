import { createHash } from 'node:crypto'
import type pg from 'pg'
import { Refusal } from '../errors.js'
import type { Database, Queryable, QueryOptions, TransactionOptions } from './database.js'

interface PoolDatabaseOptions {
  /** Longest time for a query or a transaction, waiting for a connection included, in milliseconds; null for no limit. */
  readonly deadlineMs: number | null
  /** Told of connections that broke while nobody used them. */
  readonly onIdleError?: (error: Error) => void
  /** Runs after the pool has ended. */
  readonly afterClose?: () => Promise<void>
}

// pg reads `query_timeout` per query, which its types do not know.
type TimedQuery = pg.QueryConfig & { query_timeout?: number }

const RETRY_AFTER_SECONDS = 1

/** One connection of the pool while it is in use. */
interface Connection {
  isBroken(): boolean
  /** Errors of SQL come through; when the connection fails, this rejects with the refusal. */
  query<Row extends object>(query: TimedQuery): Promise<Row[]>
}

/** A `Database` over a pg pool. The pool's `connectionTimeoutMillis` must be `deadlineMs`. */
export function createPoolDatabase(pool: pg.Pool, options: PoolDatabaseOptions): Database {
  const { deadlineMs } = options
  // Without a listener, a connection that breaks while idle would end the process.
  pool.on('error', (error) => options.onIdleError?.(error))

  async function withConnection<T>(
    limitMs: number | null,
    work: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    const began = performance.now()
    const client = await pool.connect().catch(refuse)
    let broken = false
    const connection: Connection = {
      isBroken: () => broken,
      async query<Row extends object>(query: TimedQuery) {
        // At least 1 ms: pg takes 0 for "no timeout".
        if (limitMs !== null)
          query.query_timeout = Math.max(1, Math.round(began + limitMs - performance.now()))
        try {
          return (await client.query<Row>(query)).rows
        } catch (error) {
          broken ||= isUnavailable(error)
          return refuse(error)
        }
      },
    }
    // The pool listens only while a connection is idle; one that breaks in use tells its query and says so here.
    const onError = (): void => {
      broken = true
    }
    client.on('error', onError)
    try {
      return await work(connection)
    } finally {
      client.off('error', onError)
      client.release(broken)
    }
  }

  // Until a pooler is seen to stand between, which gives each query another connection.
  let canPrepare = true

  async function query<Row extends object>(
    text: string,
    values?: readonly unknown[],
    { prepare = false }: QueryOptions = {},
  ): Promise<Row[]> {
    const run = (name?: string): Promise<Row[]> =>
      withSecondTry(() =>
        withConnection(deadlineMs, (connection) => connection.query<Row>(toQuery(text, values, name))),
      )
    if (!prepare || !canPrepare) return run()
    try {
      return await run(statementName(text))
    } catch (error) {
      if (!isLostStatement(error)) throw error
      canPrepare = false
      return run()
    }
  }

  async function transaction<T>(
    work: (transaction: Queryable) => Promise<T>,
    { mayTakeLong = false }: TransactionOptions = {},
  ): Promise<T> {
    const run = async (connection: Connection): Promise<T> => {
      // Whatever the database's default: a later statement must see what was committed before it.
      await connection.query({ text: 'begin isolation level read committed' })
      try {
        const result = await work({ query: (text, values) => connection.query(toQuery(text, values)) })
        await connection.query({ text: 'commit' })
        return result
      } catch (error) {
        if (!connection.isBroken()) await connection.query({ text: 'rollback' })
        throw error
      }
    }
    return withSecondTry(() => withConnection(mayTakeLong ? null : deadlineMs, run))
  }

  async function close(): Promise<void> {
    await pool.end()
    await options.afterClose?.()
  }

  return { query, transaction, close }
}

// SQLSTATE of a deadlock and of a serialisation failure: nothing has happened, and the obstacle is gone.
const CONFLICT_SQLSTATE = new Set(['40P01', '40001'])

const isConflict = (error: unknown): boolean => CONFLICT_SQLSTATE.has(sqlStateOf(error) ?? '')

/** The code of an error that PostgreSQL itself reported. The embedded one has an error class of its own. */
function sqlStateOf(error: unknown): string | null {
  if (!(error instanceof Error && 'severity' in error && 'code' in error)) return null
  return String(error.code)
}

/** Others on the same tables lock in an order of their own. Who loses to them tries again, once. */
async function withSecondTry<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (!isConflict(error)) throw error
  }
  return run().catch((error: unknown) => {
    if (!isConflict(error)) throw error
    throw new Refusal('database_unavailable', { retryAfterSeconds: RETRY_AFTER_SECONDS, cause: error })
  })
}

function toQuery(text: string, values?: readonly unknown[], name?: string): TimedQuery {
  return { text, ...(values && { values: [...values] }), ...(name !== undefined && { name }) }
}

const names = new Map<string, string>()

/** From the text, so that one name can never stand for two statements on a connection that a pooler shares. */
function statementName(text: string): string {
  let name = names.get(text)
  if (name === undefined) {
    name = `keyward_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`
    names.set(text, name)
  }
  return name
}

// SQLSTATE of a statement that this connection does not have, or has from somebody else, or whose tables have changed
// since. All three come before anything is executed.
const LOST_STATEMENT_SQLSTATE = new Set(['26000', '42P05', '0A000'])

const isLostStatement = (error: unknown): boolean => LOST_STATEMENT_SQLSTATE.has(sqlStateOf(error) ?? '')

function refuse(error: unknown): never {
  if (!isUnavailable(error)) throw error
  throw new Refusal('database_unavailable', { retryAfterSeconds: RETRY_AFTER_SECONDS, cause: error })
}

// SQLSTATE classes 08 (connection), 28 (authorization), 3D (no such database), 53 (out of resources),
// 57P (shutting down or starting up); 25006 is a server that became a read-only standby.
const UNAVAILABLE_SQLSTATE = /^(08|28|3D|53|57P|25006)/

function isUnavailable(error: unknown): boolean {
  const sqlState = sqlStateOf(error)
  if (sqlState !== null) return UNAVAILABLE_SQLSTATE.test(sqlState)
  if (error instanceof TypeError || error instanceof RangeError) return false
  // What pg itself raises (refused, reset, timed out, ended) carries no SQLSTATE.
  return error instanceof Error && isRaisedByConnection(error)
}

const CONNECTION_ERRNO = /^E[A-Z_]+$/
const CONNECTION_MESSAGE = /timeout|terminated|connection|connect|SSL|certificate/i

function isRaisedByConnection(error: Error): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return (typeof code === 'string' && CONNECTION_ERRNO.test(code)) || CONNECTION_MESSAGE.test(error.message)
}
