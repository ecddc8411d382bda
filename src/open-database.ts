import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from './config.js'
import type { Database } from './db/database.js'
import { lockFolder } from './db/folder-lock.js'
import { type MigrationReport, migrate } from './db/migrate.js'
import { hasEmbeddedDatabase } from './db/embedded-folder.js'
import { openServerDatabase } from './db/open-server.js'
import { Refusal } from './errors.js'
import type { Log } from './log.js'

/** How long a start waits for a database server that is not there yet. */
const PATIENCE_MS = 15_000
const RETRY_INTERVAL_MS = 500

/** Opens the configured database and brings it up to date. Throws an Error in words for the operator. */
export async function openDatabase(
  config: Config,
  log: Log,
): Promise<{ database: Database; report: MigrationReport }> {
  const database = config.databaseUrl === null ? await openEmbedded(config.dataDir) : openServer(config, log)
  try {
    const report = await migratePatiently(database, log)
    for (const name of report.applied) log.info({ migration: name }, 'migration applied')
    if (report.adopted) log.info('the existing users table was adopted')
    return { database, report }
  } catch (error) {
    await database.close()
    throw error
  }
}

async function openEmbedded(dataDir: string): Promise<Database> {
  const lock = await lockFolder(dataDir)
  try {
    // Loaded only where it is used: nodes on a server spare the time and the memory.
    const { openEmbeddedDatabase } = await import('./db/open-embedded.js')
    const database = await openEmbeddedDatabase(dataDir)
    return {
      ...database,
      async close() {
        await database.close()
        await lock.release()
      },
    }
  } catch (error) {
    await lock.release()
    throw error
  }
}

function openServer(config: Config, log: Log): Database {
  if (hasEmbeddedDatabase(config.dataDir)) {
    log.warn(
      { data_dir: config.dataDir },
      'DATABASE_URL is set, so the embedded database in DATA_DIR is not used; its accounts do not move by themselves',
    )
  }
  return openServerDatabase(config.databaseUrl ?? '', (error) =>
    log.warn({ err: error }, 'an idle database connection broke'),
  )
}

async function migratePatiently(database: Database, log: Log): Promise<MigrationReport> {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      return await migrate(database)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const reason = reasonOf(error.cause)
      if (isHopeless(error.cause) || performance.now() > until) {
        throw new Error(`The database cannot be used: ${reason}`, { cause: error })
      }
      log.warn({ reason }, 'waiting for the database')
      await delay(RETRY_INTERVAL_MS)
    }
  }
}

function reasonOf(cause: unknown): string {
  // A host name with several addresses: the failures come together, under no message of their own.
  const error: unknown = cause instanceof AggregateError ? cause.errors[0] : cause
  return error instanceof Error ? error.message : 'no answer'
}

// SQLSTATE for a wrong password, role or database; Node's codes for a certificate that does not hold.
const HOPELESS_CODE = /^(28|3D)|CERT|SELF_SIGNED|UNABLE_TO_|^ERR_(TLS|SSL)/

/** Waiting does not help. */
function isHopeless(cause: unknown): boolean {
  const { code, message } = (cause ?? {}) as { code?: unknown; message?: unknown }
  if (typeof code === 'string') return HOPELESS_CODE.test(code)
  return message === 'The server does not support SSL connections'
}
