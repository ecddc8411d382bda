import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { createRevocationLog } from '../../src/core/revocation-log.js'
import type { Database } from '../../src/db/database.js'
import { migrate } from '../../src/db/migrate.js'
import { openServerDatabase } from '../../src/db/open-server.js'
import { createFeedStore } from '../../src/revocation/sql.js'
import { createServerDatabase } from '../support/test-database.js'

const WRITERS = 8
const TRANSACTIONS = 25

// On the embedded database's one connection, transactions cannot overtake each other.
describe.runIf(inject('database') === 'server')('while many transactions end sessions at once', () => {
  let server: Awaited<ReturnType<typeof createServerDatabase>>
  let database: Database
  let clients: pg.Client[]

  beforeAll(async () => {
    server = await createServerDatabase()
    database = openServerDatabase(server.url, () => {})
    await migrate(database)
    clients = Array.from({ length: WRITERS }, () => new pg.Client({ connectionString: server.url }))
    await Promise.all(clients.map((client) => client.connect()))
  })
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.end()))
    await database.close()
    await server.drop()
  })

  async function addSessions(count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, () => randomUUID())
    const [user] = await database.query<{ id: string }>(
      `insert into users (id, email, name, password_hash) values ($1, $2, '', '') returning id`,
      [randomUUID(), `${randomUUID()}@example.com`],
    )
    await database.query(
      `insert into keyward_sessions (id, user_id, created_at, last_seen_at, idle_expires_at, expires_at,
                                     access_expires_at, address, user_agent, refresh_hash)
       select unnest($1::uuid[]), $2, now(), now(), now() + '1 hour', now() + '1 hour', now() + '1 hour', '', '', ''`,
      [ids, user?.id],
    )
    return ids
  }

  /** Every other one is held open for a few round trips, every third rolled back, and some end several sessions. */
  async function write(client: pg.Client, writer: number): Promise<string[]> {
    const committed: string[] = []
    for (let i = 0; i < TRANSACTIONS; i++) {
      const ids = await addSessions(1 + (i % 3))
      await client.query('begin')
      await client.query('update keyward_sessions set ended_at = now() where id = any($1::uuid[])', [ids])
      const roundTrips = ((writer + i) % 2) * 5
      for (let trip = 0; trip < roundTrips; trip++) await client.query('select 1')
      const isRolledBack = (writer + i) % 3 === 0
      await client.query(isRolledBack ? 'rollback' : 'commit')
      if (!isRolledBack) committed.push(...ids)
    }
    return committed
  }

  test('a reader that goes on after the last number it saw misses none, and there is no gap', async () => {
    const store = createFeedStore(database)
    let isOver = false
    const writing = Promise.all(clients.map(write)).finally(() => {
      isOver = true
    })
    const log = createRevocationLog()
    for (;;) {
      const isLast = isOver
      const { rows } = await store.readAfter(log.lastSeq, 7)
      for (const { seq, sessionId, expiresAt } of rows) log.append(seq, sessionId, expiresAt)
      if (isLast && rows.length === 0) break
    }
    const committed = (await writing).flat()
    const seen = log.after(0, committed.length + 1)
    expect(committed.length).toBeGreaterThan(WRITERS * TRANSACTIONS)
    expect(seen.map(({ sessionId }) => sessionId).sort()).toEqual(committed.sort())
    expect(seen.map(({ seq }) => seq)).toEqual(committed.map((_, index) => index + 1))
  })
})
