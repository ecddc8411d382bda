/** Runs one SQL statement with `$1`-style parameters and returns its rows. */
export interface Queryable {
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>
}

/**
 * The one door to PostgreSQL, embedded or on a server. When the database cannot be reached in time, every method
 * rejects with the refusal `database_unavailable`; errors of SQL itself come through as pg's `DatabaseError`.
 */
export interface Database extends Queryable {
  /** Commits when `work` resolves, rolls back when it rejects. Never use the outer database inside `work`. */
  transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T>
  close(): Promise<void>
}
