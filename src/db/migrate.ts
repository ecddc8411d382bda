import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { adoptUsersTable } from './adopt-users-table.js'
import type { Database, Queryable } from './database.js'
import { findMissingRights } from './server-role.js'

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
 * Brings the database up to date in one transaction, under a lock that other nodes wait for: all of it or none. A role
 * that does not own the tables only makes sure that there is nothing to do, and that it may do what the server does.
 * Throws an Error in words for the operator when it may not, and when the database is newer, was changed, or holds a
 * foreign table.
 */
export async function migrate(database: Database): Promise<MigrationReport> {
  return database.transaction(runPending, { mayTakeLong: true })
}

async function runPending(transaction: Queryable): Promise<MigrationReport> {
  const migrations = readMigrations()
  await transaction.query(`set local lock_timeout = '${LOCK_TIMEOUT}'`)
  await transaction.query(`select pg_advisory_xact_lock(${LOCK_KEY})`)
  const owner = await findOwner(transaction)
  if (owner === null) await createHistory(transaction)
  if (owner?.isOther) await checkRights(transaction, owner)
  const done = await readApplied(transaction)
  checkHistory(migrations, done)
  const pending = migrations.filter(({ number }) => !done.has(number))
  const names = pending.map(({ name }) => name)
  if (owner?.isOther && pending.length > 0) {
    throw new Error(`The database lacks ${names.join(', ')}. ${adviceFor(owner)}`)
  }
  const adopted = done.size === 0 && (await adoptUsersTable(transaction))
  for (const migration of pending) await apply(transaction, migration)
  return { applied: names, adopted }
}

interface Owner {
  readonly name: string
  /** Neither the current role nor one that it belongs to. */
  readonly isOther: boolean
  readonly currentRole: string
}

/** Whose tables these are; null when there are none yet. */
async function findOwner(transaction: Queryable): Promise<Owner | null> {
  const [row] = await transaction.query<{ name: string; is_other: boolean; current_role: string }>(`
    select pg_get_userbyid(relowner) as name, not pg_has_role(relowner, 'USAGE') as is_other,
           current_user::text as current_role
      from pg_class where oid = to_regclass('keyward_migrations')`)
  return row ? { name: row.name, isOther: row.is_other, currentRole: row.current_role } : null
}

const adviceFor = ({ name, currentRole }: Owner): string =>
  `Run "keyward migrate --grant-to ${currentRole}" as the role ${name}, which owns the tables.`

async function checkRights(transaction: Queryable, owner: Owner): Promise<void> {
  const missing = await findMissingRights(transaction)
  if (missing.length === 0) return
  throw new Error(`The role ${owner.currentRole} may not ${missing.join(', ')}. ${adviceFor(owner)}`)
}

function readMigrations(): Migration[] {
  const names = readdirSync(FOLDER).filter((name) => FILE_NAME.test(name))
  return names.sort().map((name) => {
    const sql = readFileSync(new URL(name, FOLDER), 'utf8')
    const checksum = createHash('sha256').update(sql).digest('hex')
    return { number: Number(name.slice(0, 4)), name, sql, checksum }
  })
}

// SQLSTATE of a missing right, and of a search path without a schema in which anything could be made.
const MAY_NOT_CREATE = new Set(['42501', '3F000'])

async function createHistory(transaction: Queryable): Promise<void> {
  const created = transaction.query(`
    create table keyward_migrations (
      number integer primary key,
      name text not null,
      checksum text not null,
      applied_at timestamptz not null default now()
    )`)
  await created.catch((cause: Error & { code?: string }) => {
    if (!MAY_NOT_CREATE.has(cause.code ?? '')) throw cause
    throw new Error(
      `There are no tables of Keyward in the search path of this role, and it may not make any (${cause.message}): ` +
        'run "keyward migrate" as the role that is to own them, or mend the search path.',
      { cause },
    )
  })
}

/** Number → checksum of what this database has seen. */
async function readApplied(transaction: Queryable): Promise<Map<number, string>> {
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
