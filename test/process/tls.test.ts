import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openServerDatabase } from '../../src/db/open-server.js'
import { call, registerAda } from '../support/call.js'
import { runKeyward, startKeyward } from '../support/keyward-process.js'
import { type PostgresServer, startPostgres } from '../support/postgres-server.js'
import { skipBecause } from '../support/skip-because.js'

const FIXTURES = join(import.meta.dirname, '../fixtures/tls')
const AUTHORITY = join(FIXTURES, 'ca.crt')

const servers: PostgresServer[] = []
let whyNot: string | null = null

async function startWithCertificate(name: string): Promise<PostgresServer> {
  const server = await startPostgres({
    settings: ['ssl=on'],
    files: {
      'server.crt': readFileSync(join(FIXTURES, name), 'utf8'),
      'server.key': readFileSync(join(FIXTURES, 'server.key'), 'utf8'),
    },
  })
  servers.push(server)
  return server
}

beforeAll(async () => {
  try {
    await startWithCertificate('server.crt')
  } catch (error) {
    // Some builds of PostgreSQL come without TLS; anything else is a failure.
    if (!/not supported by this build/.test((error as Error).message)) throw error
    whyNot = 'these PostgreSQL binaries were built without TLS'
  }
})
beforeEach((context) => {
  if (whyNot !== null) skipBecause(context, whyNot)
})
afterAll(async () => {
  for (const server of servers) await server.stop()
})

function withParameters(server: PostgresServer | undefined, parameters: Record<string, string>): string {
  const url = new URL(server?.url ?? '')
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url.href
}

/** Whether Keyward's connections are encrypted, as the server sees it. */
async function readEncryption(server: PostgresServer | undefined): Promise<boolean[]> {
  const operator = openServerDatabase(server?.url ?? '', () => {})
  try {
    const rows = await operator.query<{ ssl: boolean }>(`
      select distinct ssl from pg_stat_ssl join pg_stat_activity using (pid)
       where application_name = 'keyward' and pid <> pg_backend_pid()`)
    return rows.map(({ ssl }) => ssl)
  } finally {
    await operator.close()
  }
}

test.each(['require', 'verify-full'])('sslmode=%s with the right authority encrypts', async (sslmode) => {
  const keyward = await startKeyward({
    env: { DATABASE_URL: withParameters(servers[0], { sslmode, sslrootcert: AUTHORITY }) },
  })
  expect((await call(keyward, 'GET /health/ready')).status).toBe(200)
  expect(await readEncryption(servers[0])).toEqual([true])
  await keyward.stop()
})

test('a URL without parameters connects as before, unencrypted', async () => {
  const keyward = await startKeyward({ env: { DATABASE_URL: servers[0]?.url ?? '' } })
  await registerAda(keyward)
  expect(await readEncryption(servers[0])).toEqual([false])
})

test('sslmode=require refuses in words whom it cannot trust', async () => {
  const otherHost = await startWithCertificate('other-host.crt')
  const unencrypted = await startPostgres()
  servers.push(unencrypted)
  // Together, because each start is patient.
  const [unknownAuthority, wrongName, noTls] = await Promise.all(
    [
      withParameters(servers[0], { sslmode: 'require' }),
      withParameters(otherHost, { sslmode: 'require', sslrootcert: AUTHORITY }),
      withParameters(unencrypted, { sslmode: 'require', sslrootcert: AUTHORITY }),
    ].map((url) => runKeyward({ env: { DATABASE_URL: url } })),
  )
  for (const refused of [unknownAuthority, wrongName, noTls]) {
    expect(refused?.code).toBe(1)
    expect(refused?.stderr).toMatch(/^keyward: The database cannot be used: /)
    for (const server of servers) {
      expect(`${refused?.stdout}${refused?.stderr}`).not.toContain(new URL(server.url).password)
    }
  }
  expect(unknownAuthority?.stderr).toMatch(/certificate/)
  expect(wrongName?.stderr).toMatch(/does not match certificate/)
  expect(noTls?.stderr).toContain('The server does not support SSL connections')
})

test('an sslrootcert that cannot be read is named', async () => {
  const url = withParameters(servers[0], { sslmode: 'require', sslrootcert: '/nowhere/ca.crt' })
  const { code, stderr } = await runKeyward({ env: { DATABASE_URL: url } })
  expect(code).toBe(1)
  expect(stderr).toContain('names an sslrootcert that cannot be read: /nowhere/ca.crt')
})
