import { PGlite } from '@electric-sql/pglite'
import { createPgConfig } from '@electric-sql/pglite/node-postgres'
import { cpSync, existsSync } from 'node:fs'
import { chmod, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { Database } from './database.js'
import { embeddedFolder, hasEmbeddedDatabase } from './embedded-folder.js'
import { startUpkeep } from './embedded-upkeep.js'
import { createPoolDatabase } from './pool-database.js'
import { utcTimestamps } from './timestamps.js'

/** Major version of the PostgreSQL inside PGlite; a folder of another one cannot be opened. */
const POSTGRES_MAJOR = '18'

/**
 * Opens the embedded PostgreSQL under `dataDir`, making it first where there is none. The caller must hold the
 * folder's lock: two processes on one folder lose data silently. Throws when the folder is of another version.
 */
export async function openEmbeddedDatabase(dataDir: string): Promise<Database> {
  const folder = embeddedFolder(dataDir)
  if (!hasEmbeddedDatabase(dataDir)) await initialise(folder)
  await checkVersion(folder)
  // PGlite makes its files readable by everyone; the folder is what keeps others out (ASVS 13.3.2).
  await chmod(folder, 0o700)

  const pglite = await PGlite.create(folder)
  // One connection is all there is; it must never be dropped for idleness.
  const options = { max: 1, idleTimeoutMillis: 0, types: utcTimestamps }
  const pool = new pg.Pool(Object.assign(createPgConfig(pglite), options))
  const stopUpkeep = startUpkeep(pool)

  return createPoolDatabase(pool, {
    deadlineMs: null,
    afterClose: () => {
      stopUpkeep()
      return pglite.close()
    },
  })
}

/** An empty database, made by `npm ci`: initialising one takes 5 s, copying it a fraction of one. */
const TEMPLATE = fileURLToPath(new URL('../../dist/embedded-template', import.meta.url))

/** Makes the database beside its place and moves it there when complete: a kill half-way leaves nothing behind. */
async function initialise(folder: string): Promise<void> {
  const unfinished = `${folder}.unfinished`
  await rm(unfinished, { recursive: true, force: true })
  // In one go: nothing else runs yet, and the asynchronous copy of a thousand small files takes four times as long.
  if (existsSync(join(TEMPLATE, 'PG_VERSION'))) cpSync(TEMPLATE, unfinished, { recursive: true })
  else await (await PGlite.create(unfinished)).close()
  await rename(unfinished, folder)
}

async function checkVersion(folder: string): Promise<void> {
  const version = (await readFile(join(folder, 'PG_VERSION'), 'utf8')).trim()
  if (version === POSTGRES_MAJOR) return
  throw new Error(
    `The database in ${folder} was made by PostgreSQL ${version}; this Keyward embeds ${POSTGRES_MAJOR}. ` +
      'Start the Keyward version that made it, dump its data, and load it into a new folder.',
  )
}
