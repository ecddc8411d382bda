import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { adoptUsersTable } from './adopt-users-table.js'
import type { Database, Queryable } from './database.js'

const FOLDER = new URL('../../migrations/', import.meta.url)
const FILE_NAME = /^(\d{4})-[a-z0-9-]+\.sql$/
// Any constant will do, as long as every Keyward uses the same: "keyward" in ASCII.
const LOCK_KEY = '30229394876363364'
const LOCK_TIMEOUT = '60s'

interface Migration {
  readonly number: number
  readonly name: string
  readonly sql: string
  readonly checksum: string
}

export interface MigrationReport {
  /** File names, in the order in which they were applied now; empty when the database was up to date. */
  readonly applied: readonly string[]
  /** A `users` table that another stack had made is now Keyward's as well. */
  readonly adopted: boolean
}

/**
 * Brings the database up to date in one transaction, under a lock that other nodes wait for: all of it or none.
 * Throws an Error in words for the operator when the database is newer, was changed, or holds a foreign table.
 */
export async function migrate(database: Database): Promise<MigrationReport> {
  return database.transaction(runPending, { mayTakeLong: true })
}

async function runPending(transaction: Queryable): Promise<MigrationReport> {
  const migrations = readMigrations()
  await transaction.query(`set local lock_timeout = '${LOCK_TIMEOUT}'`)
  await transaction.query(`select pg_advisory_xact_lock(${LOCK_KEY})`)
  const done = await readApplied(transaction)
  checkHistory(migrations, done)
  const adopted = done.size === 0 && (await adoptUsersTable(transaction))
  const pending = migrations.filter(({ number }) => !done.has(number))
  for (const migration of pending) await apply(transaction, migration)
  return { applied: pending.map(({ name }) => name), adopted }
}

function readMigrations(): Migration[] {
  const names = readdirSync(FOLDER).filter((name) => FILE_NAME.test(name))
  return names.sort().map((name) => {
    const sql = readFileSync(new URL(name, FOLDER), 'utf8')
    const checksum = createHash('sha256').update(sql).digest('hex')
    return { number: Number(name.slice(0, 4)), name, sql, checksum }
  })
}

/** Number → checksum of what this database has seen. */
async function readApplied(transaction: Queryable): Promise<Map<number, string>> {
  await transaction.query(`
    create table if not exists keyward_migrations (
      number integer primary key,
      name text not null,
      checksum text not null,
      applied_at timestamptz not null default now()
    )`)
  const rows = await transaction.query<{ number: number; checksum: string }>(
    'select number, checksum from keyward_migrations',
  )
  return new Map(rows.map(({ number, checksum }) => [number, checksum]))
}

function checkHistory(migrations: readonly Migration[], done: ReadonlyMap<number, string>): void {
  for (const [number, checksum] of done) {
    const known = migrations.find((migration) => migration.number === number)
    if (!known)
      throw new Error(`The database is newer than this Keyward: it has migration ${number}. Update Keyward.`)
    if (known.checksum !== checksum)
      throw new Error(`Migration ${known.name} was changed after it had been applied.`)
  }
}

async function apply(transaction: Queryable, migration: Migration): Promise<void> {
  await transaction.query(migration.sql)
  await transaction.query('insert into keyward_migrations (number, name, checksum) values ($1, $2, $3)', [
    migration.number,
    migration.name,
    migration.checksum,
  ])
}
