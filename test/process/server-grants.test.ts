import { expect, test } from 'vitest'
import { createAccountStore } from '../../src/accounts/sql.js'
import { purgeAttempts } from '../../src/attempts/purge.js'
import { createAttemptStore } from '../../src/attempts/sql.js'
import { systemClock } from '../../src/core/clock.js'
import type { Database } from '../../src/db/database.js'
import { migrate } from '../../src/db/migrate.js'
import { SERVER_GRANTS } from '../../src/db/server-grants.js'
import { grantToServer } from '../../src/db/server-role.js'
import { createSigningKeyStore } from '../../src/keys/sql.js'
import { USER_ACTIONS } from '../../src/operators/commands.js'
import { KEY_ACTIONS } from '../../src/operators/key-commands.js'
import { purge } from '../../src/revocation/purge.js'
import { createSessionStore } from '../../src/sessions/sql.js'
import {
  driveRight,
  newDrive,
  newOwner,
  type Owner,
  PASSWORD_CANARY,
  type Target,
} from '../support/canary.js'
import { readOperations } from '../support/operations.js'
import { makeGrantedDatabase } from '../support/roles.js'
import { buildTestApp, PRESENT, type TestApp } from '../support/test-app.js'

const FEED_TOKEN = 'q2Zt7XwB9mKc4VnR8sLdYh3PfGj6UaEo'
const DENIED = { code: '42501' }

/** All that a server does in its database, on request, by command and beside them. Rejects at the first failure. */
async function doEverything(database: Database): Promise<void> {
  const app = await buildTestApp(database, {
    startAt: PRESENT,
    environment: {
      RATE_LIMIT: 'on',
      REVOCATION_FEED_TOKEN: FEED_TOKEN,
      BETTER_AUTH_SECRET: '',
      KEY_ENCRYPTION_SECRET: 'tB6yWq1ZsXn8RmVc4LdKf7PjHg2UeAo9',
      JWT_ALGORITHM: 'EdDSA',
    },
  })
  try {
    const target = { send: app.send, feedToken: FEED_TOKEN }
    await askEverything(app, target)
    await commandEverything(app, target)
    await keepHouse(database, await newOwner(target))
  } finally {
    await app.server.close().catch(() => {})
  }
}

async function askEverything(app: TestApp, target: Target): Promise<void> {
  for (const operation of await readOperations(app)) {
    expect([operation.id, await driveRight(newDrive(), target, operation)]).toEqual([
      operation.id,
      operation.id === 'register' ? 201 : 200,
    ])
  }
  const { email } = await newOwner(target)
  for (const [password, status] of [
    ['wr0ng-Password!', 401],
    [PASSWORD_CANARY, 200],
  ]) {
    expect((await app.post('/api/auth/login', { email, password })).status).toBe(status)
  }
}

async function commandEverything(app: TestApp, target: Target): Promise<void> {
  const { id } = await newOwner(target)
  // Deleting comes last.
  for (const action of [...USER_ACTIONS.filter((action) => action !== 'delete'), 'delete'] as const) {
    await app.runUserCommand({ action, who: action === 'list' ? null : id, password: null })
  }
  for (const action of KEY_ACTIONS) {
    const kid = action === 'keys retire' ? (await app.get('/.well-known/jwks.json')).body.keys[0].kid : null
    await app.runKeyCommand({ action, kid })
  }
}

async function keepHouse(database: Database, { id, sessionId }: Owner): Promise<void> {
  // As a log-in renews a hash.
  await createAccountStore(database).replaceHash(id, 'an old hash', 'a new one')
  await createSessionStore(database).touch([sessionId], new Date(PRESENT + 1_000))
  const attempts = createAttemptStore(database)
  const key = (byte: number): Buffer => Buffer.alloc(32, byte)
  const keys = { pair: key(1), account: key(2), address: key(3) }
  const attempt = await attempts.take(keys, new Date(PRESENT))
  if ('takenAt' in attempt) await attempts.giveBack(attempt)
  await purge(database, 60)
  await purgeAttempts(database, systemClock)
  await createSigningKeyStore(database).purge()
}

test('every operation, every command and every purge is within the grants', async () => {
  const { asServer } = await makeGrantedDatabase()
  await migrate(asServer)
  await doEverything(asServer)
})

/** Each right by itself; that to read the history is for the start alone, which looks at all of these. */
const RIGHTS = SERVER_GRANTS.filter(({ on }) => on !== 'keyward_migrations').flatMap(
  ({ kind, on, privileges, columns }) =>
    privileges.flatMap((privilege) =>
      (columns ?? [null]).map(
        (column) => `${privilege}${column === null ? '' : ` (${column})`} on ${kind} ${on}`,
      ),
    ),
)

test('no grant is there in vain: without any one of them, something fails', {
  timeout: 180_000,
}, async () => {
  const { server, asOwner, asServer } = await makeGrantedDatabase()
  for (const right of RIGHTS) {
    await asOwner.query(`revoke ${right} from ${server.name}`)
    await expect(doEverything(asServer), right).rejects.toThrow()
    await grantToServer(asOwner, server.name)
    // So that the next round begins where this one did.
    await asOwner.query('truncate keyward_signing_keys, keyward_password_attempts')
  }
  await doEverything(asServer)
})

test('every table, function and column that migrations make is granted, or is nothing for the server', async () => {
  const { asOwner } = await makeGrantedDatabase()
  const found = await asOwner.query<{ name: string }>(`
    select oid::regclass::text as name from pg_class
     where relnamespace = 'public'::regnamespace and relkind not in ('i', 'I')
     union all
    select oid::regprocedure::text from pg_proc
     where pronamespace = 'public'::regnamespace and prorettype <> 'trigger'::regtype`)
  const plain = (name: string): string =>
    name.replaceAll(', ', ',').replaceAll('timestamptz', 'timestamp with time zone')
  const granted = new Set(SERVER_GRANTS.map(({ on }) => plain(on)))
  expect(new Set(found.map(({ name }) => plain(name)))).toEqual(granted)

  const columns = await asOwner.query<{ name: string }>(
    "select attname as name from pg_attribute where attrelid = 'users'::regclass and attnum > 0",
  )
  const readable = SERVER_GRANTS.find(({ on, privileges }) => on === 'users' && privileges.includes('select'))
  expect(columns.map(({ name }) => name).sort()).toEqual([...(readable?.columns ?? [])].sort())
})

const FORBIDDEN = [
  'create table mine ()',
  'create schema mine',
  'create view mine as select 1',
  "create function mine() returns int language sql as 'select 1'",
  'create index on users (name)',
  'create trigger mine before update on users for each row execute function keyward_end_sessions_of_disabled()',
  'alter table users add mine text',
  'alter table users disable trigger all',
  'alter table users disable trigger keyward_account_disabled',
  'alter table keyward_sessions disable trigger keyward_session_ended',
  'alter table keyward_sessions owner to current_user',
  'alter function keyward_take_attempt security definer',
  'drop trigger keyward_account_disabled on users',
  'drop table keyward_sessions cascade',
  'drop index keyward_users_email',
  'drop function keyward_revoke_session() cascade',
  'drop schema public cascade',
  'truncate users cascade',
  'truncate keyward_revocations',
  'set session_replication_role = replica',
  'select keyward_revoke_session()',
  'update keyward_revocation_head set last_seq = 0',
  'insert into keyward_revocations values (1, gen_random_uuid(), now())',
  'update keyward_revocations set session_id = gen_random_uuid()',
  "update keyward_refresh_tokens set token_hash = ''",
  'delete from keyward_migrations',
  "update users set email = 'mallory@example.com'",
  'update users set id = gen_random_uuid()',
  'update users set created_at = now()',
]

test('that role can neither change the schema, nor switch a trigger off, nor write the feed or the history', async () => {
  const { asServer, asOwner } = await makeGrantedDatabase()
  for (const statement of FORBIDDEN) {
    await expect(asServer.query(statement), statement).rejects.toMatchObject(DENIED)
  }
  // What another stack keeps beside an account is none of its business.
  await asOwner.query('alter table users add plan text')
  await expect(asServer.query('select plan from users')).rejects.toMatchObject(DENIED)
})

test('rights beyond the grants are taken away when they are given anew', async () => {
  const { server, asOwner, asServer } = await makeGrantedDatabase()
  await asOwner.query(`grant all on all tables in schema public to ${server.name}`)
  await asServer.query("update users set email = 'mallory@example.com'")
  await grantToServer(asOwner, server.name)
  for (const statement of FORBIDDEN) {
    await expect(asServer.query(statement), statement).rejects.toMatchObject(DENIED)
  }
  await migrate(asServer)
})
