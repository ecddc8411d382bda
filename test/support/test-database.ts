import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { inject } from 'vitest'
import type { Database } from '../../src/db/database.js'
import { openEmbeddedDatabase } from '../../src/db/open-embedded.js'
import { openServerDatabase } from '../../src/db/open-server.js'

/** An empty database of this project's kind, without any migration. Closing it removes it. */
export async function openTestDatabase(): Promise<Database> {
  if (inject('database') === 'embedded') {
    const dataDir = mkdtempSync(join(tmpdir(), 'keyward-test-'))
    const database = await openEmbeddedDatabase(dataDir)
    return closingWith(database, async () => rmSync(dataDir, { recursive: true, force: true }))
  }
  const { url, drop } = await createServerDatabase()
  return closingWith(
    openServerDatabase(url, () => {}),
    drop,
  )
}

/** A fresh, empty database on the test server. */
export async function createServerDatabase(): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `keyward_test_${randomBytes(6).toString('hex')}`
  await onServer(`create database ${name}`)
  const url = new URL(inject('serverUrl'))
  url.pathname = `/${name}`
  return { url: url.href, drop: () => onServer(`drop database if exists ${name} with (force)`) }
}

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('serverUrl') })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

function closingWith(database: Database, afterwards: () => Promise<void>): Database {
  return {
    ...database,
    async close() {
      await database.close()
      await afterwards()
    },
  }
}
