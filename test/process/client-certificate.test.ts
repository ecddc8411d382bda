import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { openServerDatabase } from '../../src/db/open-server.js'
import { call, registerAda } from '../support/call.js'
import { type CertificateAuthority, hasOpenssl, makeAuthority } from '../support/certificate-authority.js'
import { runKeyward, startKeyward } from '../support/keyward-process.js'
import { type PostgresServer, startPostgres } from '../support/postgres-server.js'
import { skipBecause } from '../support/skip-because.js'

const ROLE = 'keyward_server'
const CLIENT = { name: ROLE, extensions: 'extendedKeyUsage=clientAuth' }
/** Whoever is not the operator comes by TLS and shows a certificate that bears the name of the role. */
const RULES = `
host    all postgres 127.0.0.1/32 scram-sha-256
hostssl all all      127.0.0.1/32 cert
`

const folder = mkdtempSync(join(tmpdir(), 'keyward-certificates-'))
let whyNot: string | null = null
let postgres: PostgresServer
let ours: CertificateAuthority
let other: CertificateAuthority
let client: { crt: string; key: string }

beforeAll(async () => {
  if (!hasOpenssl()) {
    whyNot = 'there is no openssl command to make certificates'
    return
  }
  ours = makeAuthority(join(folder, 'ours'))
  other = makeAuthority(join(folder, 'other'))
  const server = ours.issue('server', {
    name: 'localhost',
    extensions: 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth',
  })
  client = ours.issue('client', CLIENT)
  const text = (path: string): string => readFileSync(path, 'utf8')
  try {
    postgres = await startPostgres({
      settings: ['ssl=on', 'ssl_ca_file=root.crt'],
      files: {
        'root.crt': text(ours.path),
        'server.crt': text(server.crt),
        'server.key': text(server.key),
        'pg_hba.conf': RULES,
      },
    })
  } catch (error) {
    // Some builds of PostgreSQL come without TLS; anything else is a failure.
    if (!/not supported by this build/.test((error as Error).message)) throw error
    whyNot = 'these PostgreSQL binaries were built without TLS'
    return
  }
  await asOperator(`create role ${ROLE} login`)
  await asOperator(`grant create on schema public to ${ROLE}`)
})
beforeEach((context) => {
  if (whyNot !== null) skipBecause(context, whyNot)
})
afterAll(async () => {
  if (whyNot === null) await postgres.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function asOperator<Row extends object>(sql: string): Promise<Row[]> {
  const operator = openServerDatabase(postgres.url, () => {})
  try {
    return await operator.query<Row>(sql)
  } finally {
    await operator.close()
  }
}

/** No password: the certificate stands for it. */
function urlWith({ crt, key }: { crt: string; key: string }, root = ours.path): string {
  const url = new URL(postgres.url)
  url.username = ROLE
  url.password = ''
  const files = { sslrootcert: root, sslcert: crt, sslkey: key }
  for (const [name, value] of Object.entries({ sslmode: 'verify-full', ...files }))
    url.searchParams.set(name, value)
  return url.href
}

test('a certificate that bears the name of the role logs in without a password, on every connection', async () => {
  const keyward = await startKeyward({ env: { DATABASE_URL: urlWith(client) } })
  await registerAda(keyward)
  expect((await call(keyward, 'GET /health/ready')).status).toBe(200)
  await expect
    .poll(() =>
      asOperator(`
        select distinct application_name as application, client_dn as certificate
          from pg_stat_ssl join pg_stat_activity using (pid) where usename = '${ROLE}' order by 1`),
    )
    .toEqual([
      { application: 'keyward', certificate: `/CN=${ROLE}` },
      { application: 'keyward feed', certificate: `/CN=${ROLE}` },
    ])
})

test('a server whose certificate is from another authority is refused, and learns nothing', async () => {
  const { code, stderr } = await runKeyward({ env: { DATABASE_URL: urlWith(client, other.path) } })
  expect(code).toBe(1)
  expect(stderr).toMatch(/^keyward: The database cannot be used: .*certificate/)
})

test('a certificate of another name or another authority does not log in, nor does none', async () => {
  const stranger = ours.issue('stranger', { ...CLIENT, name: 'somebody_else' })
  const forged = other.issue('forged', CLIENT)
  const without = new URL(urlWith(client))
  for (const name of ['sslcert', 'sslkey']) without.searchParams.delete(name)
  for (const url of [urlWith(stranger), urlWith(forged), without.href]) {
    const { code, stderr } = await runKeyward({ env: { DATABASE_URL: url } })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^keyward: The database cannot be used: .*certificate|alert unknown ca/)
  }
})

test('a renewed certificate counts from the next connection on, and half a renewal disturbs nobody', async () => {
  const [crt, key] = [join(folder, 'node.crt'), join(folder, 'node.key')]
  const [first, next] = [client, ours.issue('next', CLIENT)]
  copyFileSync(first.crt, crt)
  copyFileSync(first.key, key)
  const database = openServerDatabase(urlWith({ crt, key }), () => {})
  onTestFinished(() => database.close())
  const serialOfNewConnection = async (): Promise<string | undefined> => {
    await asOperator(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = '${ROLE}' and application_name = 'keyward'`,
    )
    const read = () =>
      database
        .query<{ serial: string }>(
          'select client_serial::text as serial from pg_stat_ssl where pid = pg_backend_pid()',
        )
        .catch(() => [])
    await expect.poll(async () => (await read()).length).toBe(1)
    return (await read())[0]?.serial
  }
  const before = await serialOfNewConnection()
  copyFileSync(next.crt, crt)
  expect(await serialOfNewConnection()).toBe(before)
  copyFileSync(next.key, key)
  expect(await serialOfNewConnection()).not.toBe(before)
})
