/** Runs one SQL statement with `$1`-style parameters and returns its rows. */
export interface Queryable {
  query<Row extends object>(text: string, values?: readonly unknown[], options?: QueryOptions): Promise<Row[]>
}

export interface QueryOptions {
  /** Let each connection plan it once; for the few that run all the time. Ignored in transactions. */
  readonly prepare?: boolean
}

export interface TransactionOptions {
  /** For work that may take long and that nobody waits for on a connection, such as a migration. */
  readonly mayTakeLong?: boolean
}

/**
 * The one door to PostgreSQL, embedded or on a server. When the database cannot be reached in time, every method
 * rejects with the refusal `database_unavailable`; errors of SQL itself come through with their SQLSTATE as `code`.
 */
export interface Database extends Queryable {
  /**
   * Commits when `work` resolves, rolls back when it rejects. Runs `work` a second time after a deadlock, so it must do
   * nothing but SQL. Never use the outer database inside it.
   */
  transaction<T>(work: (transaction: Queryable) => Promise<T>, options?: TransactionOptions): Promise<T>
  close(): Promise<void>
}
