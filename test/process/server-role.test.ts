import { expect, test } from 'vitest'
import { migrate } from '../../src/db/migrate.js'
import { call, registerAda } from '../support/call.js'
import { KEYWARD, runKeyward, startKeyward } from '../support/keyward-process.js'
import { makeGrantedDatabase, makeOwnedDatabase } from '../support/roles.js'

const keyward = (args: string[], url?: string) =>
  runKeyward({ command: [KEYWARD, ...args], env: url === undefined ? {} : { DATABASE_URL: url } })

test('the owner migrates and grants, and the server and its commands run as a role that owns nothing', async () => {
  const { owner, server } = await makeOwnedDatabase()
  const granted = await keyward(['migrate', '--grant-to', server.name], owner.url)
  expect(granted).toMatchObject({ code: 0, stderr: '' })
  expect(granted.stdout).toMatch(/^Applied: 0001-users\.sql, /)
  expect(granted.stdout).toContain(`The role ${server.name} may run the server.\n`)

  const node = await startKeyward({ env: { DATABASE_URL: server.url } })
  const token = await registerAda(node)
  const disabled = await keyward(['users', 'disable', 'ada@example.com'], server.url)
  expect(disabled).toMatchObject({ code: 0, stdout: 'ada@example.com is disabled.\n' })
  await expect
    .poll(async () => (await call(node, 'GET /api/auth/profile', { token })).body.code)
    .toBe('invalid_token')
  expect(await node.stop()).toBe(0)

  const again = await keyward(['migrate'], server.url)
  expect(again).toMatchObject({ code: 0, stdout: 'The database is up to date.\n' })
})

test('a server that lacks a migration and may not apply it says which, and who can', async () => {
  const { owner, server, asOwner } = await makeGrantedDatabase()
  await asOwner.query('delete from keyward_migrations where number = 7')
  const { code, stderr } = await keyward(['start'], server.url)
  expect(code).toBe(1)
  expect(stderr).toBe(
    'keyward: The database lacks 0007-generated-passwords.sql. ' +
      `Run "keyward migrate --grant-to ${server.name}" as the role ${owner.name}, which owns the tables.\n`,
  )
})

test.each([
  ['delete on users', 'revoke delete on users from '],
  ['update (name) on users', 'revoke update (name) on users from '],
  ['select on keyward_migrations', 'revoke select on keyward_migrations from '],
  [
    'execute on keyward_take_attempt(timestamptz, timestamptz, jsonb)',
    'revoke execute on function keyward_take_attempt from ',
  ],
])('a server whose role may not %s says so at its start, and not to a client', async (right, revoke) => {
  const { owner, server, asOwner, asServer } = await makeGrantedDatabase()
  await asOwner.query(revoke + server.name)
  await expect(migrate(asServer)).rejects.toThrow(
    `The role ${server.name} may not ${right}. ` +
      `Run "keyward migrate --grant-to ${server.name}" as the role ${owner.name}, which owns the tables.`,
  )
})

test('on an empty database, a role that may not create tables says what it lacks', async () => {
  const { server } = await makeOwnedDatabase()
  const { code, stderr } = await keyward(['start'], server.url)
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /^keyward: There are no tables of Keyward in the search path of this role, and it may not make any \(permission denied/,
  )
})

test.each([
  ['is a superuser', 'alter role $server superuser', 'it is a superuser'],
  [
    'belongs to the owner',
    'grant $owner to $server',
    'it is, or belongs to, the role $owner, which owns tables',
  ],
  ['may make roles', 'alter role $server createrole', 'it may make roles'],
  [
    'may create tables',
    'grant create on schema public to $server',
    'it may create tables in the schema public',
  ],
  ['may create schemas', 'grant create on database $database to $server', 'it may create schemas'],
])('a role that %s is given nothing, with the reason', async (_, prepare, reason) => {
  const { owner, server, operator } = await makeOwnedDatabase()
  const database = new URL(server.url).pathname.slice(1)
  const fill = (text: string): string =>
    text.replaceAll('$owner', owner.name).replaceAll('$server', server.name).replaceAll('$database', database)
  const inside = prepare.includes('schema public') ? owner.open() : operator
  await inside.query(fill(prepare))
  const { code, stderr } = await keyward(['migrate', '--grant-to', server.name], owner.url)
  expect(code).toBe(1)
  expect(stderr).toContain(
    `keyward: Nothing was granted: the role ${server.name} could change the schema all the same.`,
  )
  expect(stderr).toContain(`  - ${fill(reason)}`)
  const granted = await owner
    .open()
    .query("select 1 from pg_class where relname like 'keyward%' and relacl::text like $1", [
      `%${server.name}%`,
    ])
  expect(granted).toEqual([])
})

test('the owner itself, a role that is not there, and what only looks like one are given nothing', async () => {
  const { owner } = await makeOwnedDatabase()
  for (const [role, words] of [
    [owner.name, `it is, or belongs to, the role ${owner.name}`],
    ['nobody_at_all', 'There is no role nobody_at_all'],
    ['public', 'There is no role public'],
    [`${owner.name}; drop table users`, 'There is no role'],
    ['', 'There is no role'],
  ] as const) {
    const { code, stderr } = await keyward(['migrate', '--grant-to', role], owner.url)
    expect([code, stderr]).toEqual([1, expect.stringContaining(words)])
  }
})

test('a role may have any name, and the tables may be in a schema of their own', async () => {
  const { owner, server } = await makeOwnedDatabase(` "Ada's"; --`)
  const inAuth = (url: string): string => `${url}?options=-csearch_path%3Dauth`
  await owner.open().query('create schema auth')
  const granted = await keyward(['migrate', '--grant-to', server.name], inAuth(owner.url))
  expect(granted).toMatchObject({ code: 0, stderr: '' })
  const node = await startKeyward({ env: { DATABASE_URL: inAuth(server.url) } })
  await registerAda(node)
})

test('`keyward migrate --grant-to` without a DATABASE_URL says that the embedded database knows no roles', async () => {
  const { code, stderr } = await keyward(['migrate', '--grant-to', 'somebody'])
  expect(code).toBe(1)
  expect(stderr).toBe('keyward: The embedded database knows no roles: --grant-to needs a DATABASE_URL.\n')
})
