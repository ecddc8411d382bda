import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import type { Database } from '../../src/db/database.js'
import { migrate } from '../../src/db/migrate.js'
import { createPoolDatabase } from '../../src/db/pool-database.js'
import { utcTimestamps } from '../../src/db/timestamps.js'
import { nativeHashEngine } from '../support/native-hash-engine.js'
import { buildTestApp, PASSWORD, type TestApp } from '../support/test-app.js'
import { createServerDatabase } from '../support/test-database.js'

const WRONG = 'wr0ng-Password!'
let checks = 0
const hashEngine: typeof nativeHashEngine = {
  ...nativeHashEngine,
  bcryptVerify(...values) {
    checks++
    return nativeHashEngine.bcryptVerify(...values)
  },
}

/**
 * Without a deadline: on a slow machine a statement would be given up whose attempt is counted all the same, and so cost a
 * guess without a check.
 */
const open = (url: string): Database =>
  createPoolDatabase(new pg.Pool({ connectionString: url, types: utcTimestamps, max: 10 }), {
    deadlineMs: null,
  })

/** Two servers on one database of PostgreSQL, each with connections of its own. */
async function startTwoNodes(setting?: string): Promise<[TestApp, TestApp]> {
  const { url, drop } = await createServerDatabase()
  const databases = [open(url), open(url)] as const
  await migrate(databases[0])
  if (setting !== undefined) {
    await databases[0].query(
      `do $$ begin execute format('alter database %I set ${setting}', current_database()); end $$`,
    )
  }
  const environment = {
    RATE_LIMIT: 'on',
    RATE_LIMIT_REQUESTS: '1000000000',
    HASH_THREADS: '2',
    HASH_MAX_WAIT: '60000',
  }
  const nodes = await Promise.all(databases.map((each) => buildTestApp(each, { environment, hashEngine })))
  onTestFinished(async () => {
    for (const node of nodes) await node.server.close()
    for (const database of databases) await database.close()
    await drop()
  })
  return nodes as [TestApp, TestApp]
}

const logIn = (node: TestApp, email: string, password: string, remoteAddress: string) =>
  node.send({ method: 'POST', url: '/api/auth/login', payload: { email, password }, remoteAddress })

/** Comes back while the server is too busy, as somebody who is guessing would. */
async function guess(node: TestApp, email: string, address: string): Promise<number> {
  for (;;) {
    const { status } = await logIn(node, email, WRONG, address)
    if (status !== 503) return status
  }
}

async function guessInParallel(nodes: readonly TestApp[], email: string): Promise<number[]> {
  const guesses = Array.from({ length: 200 }, (_, i) => guess(nodes[i % 2]!, email, '203.0.113.9'))
  return Promise.all(guesses)
}

test('200 parallel guesses over two nodes cost exactly five checks', async () => {
  const nodes = await startTwoNodes()
  const { email } = await nodes[0].newUser()
  const before = checks
  const statuses = await guessInParallel(nodes, email)
  expect(checks - before).toBe(5)
  expect(statuses.filter((status) => status === 401)).toHaveLength(5)
  expect(statuses.filter((status) => status === 429)).toHaveLength(195)
})

test('they cost no more where the database isolates transactions further by default', async () => {
  const nodes = await startTwoNodes("default_transaction_isolation = ''repeatable read''")
  const { email } = await nodes[0].newUser()
  const before = checks
  const statuses = await guessInParallel(nodes, email)
  expect(checks - before).toBe(5)
  expect(statuses.filter((status) => status === 429)).toHaveLength(195)
})

test('of right and wrong log-ins that meet on two nodes, exactly the wrong ones stay counted', async () => {
  const nodes = await startTwoNodes()
  const users = await Promise.all(Array.from({ length: 8 }, () => nodes[0].newUser()))
  const statuses = await Promise.all(
    Array.from({ length: 240 }, async (_, i) => {
      const [email, password] =
        i % 3 === 0 ? [`nobody-${i}@example.com`, WRONG] : [users[i % 8]!.email, PASSWORD]
      return (await logIn(nodes[i % 2]!, email, password, `203.0.113.${i % 8}`)).status
    }),
  )
  expect(statuses).not.toContain(500)
  // An address forgets one a minute, an account and a pair one a day.
  const [row] = await nodes[0].database.query<{ failures: number }>(
    `select sum(round(extract(epoch from forgotten_at - counted_at) / 60))::int as failures
       from keyward_password_attempts where forgotten_at - counted_at < interval '1 hour'`,
  )
  expect(row?.failures).toBe(statuses.filter((status) => status === 401).length)
})

test('nodes whose clocks differ by an hour let nobody guess much more often than 100 times', async () => {
  const nodes = await startTwoNodes()
  const { email } = await nodes[0].newUser()
  nodes[1].passSeconds(3_600)
  let answered = 0
  let refusedInTurn = 0
  for (let i = 0; refusedInTurn < 4; i++) {
    const status = await guess(nodes[i % 2]!, email, '203.0.113.9')
    answered += status === 401 ? 1 : 0
    refusedInTurn = status === 401 ? 0 : refusedInTurn + 1
  }
  expect(answered).toBeLessThanOrEqual(105)
})
