import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Database } from '../../src/db/database.js'
import { openServerDatabase } from '../../src/db/open-server.js'
import { call } from '../support/call.js'
import { KEYWARD, ROOT, runKeyward, startKeyward } from '../support/keyward-process.js'
import { makePythonUsersTable } from '../support/python-users-table.js'
import { makeTempFolder } from '../support/temp-folder.js'
import { createServerDatabase } from '../support/test-database.js'

const keyward = (args: string[], env: Record<string, string> = {}) =>
  runKeyward({ command: [KEYWARD, ...args], env })

async function makeDatabase(): Promise<{ url: string; database: Database }> {
  const { url, drop } = await createServerDatabase()
  const database = openServerDatabase(url, () => {})
  onTestFinished(async () => {
    await database.close()
    await drop()
  })
  return { url, database }
}

test('`keyward secret` prints a new secret each time, and a server accepts it', async () => {
  const [first, second] = await Promise.all([keyward(['secret']), keyward(['secret'])])
  expect(first).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^[\w-]{43}\n$/) })
  expect(second.stdout).toMatch(/^[\w-]{43}\n$/)
  expect(second.stdout).not.toBe(first.stdout)

  const { url } = await makeDatabase()
  const server = await startKeyward({
    env: { NODE_ENV: 'production', DATABASE_URL: url, BETTER_AUTH_SECRET: first.stdout.trim() },
  })
  expect((await call(server, 'GET /health/ready')).status).toBe(200)
})

test.each(['--help', '-h'])('`keyward %s` lists the commands', async (option) => {
  const { code, stdout } = await keyward([option])
  expect(code).toBe(0)
  for (const word of ['Usage: keyward <command>', 'start', 'migrate', 'secret'])
    expect(stdout).toContain(word)
})

test('`keyward --version` prints the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  expect(await keyward(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
})

test.each([
  ['no command', [], /unknown command[^]*Usage: keyward <command>/],
  ['an unknown command', ['begin'], /unknown command[^]*Usage: keyward <command>/],
  ['a word too many', ['secret', 'please'], /this command takes no arguments[^]*Usage: keyward <command>/],
  [
    'a database in place of a role',
    ['migrate', 'postgresql://keyward:s3cret@db.example/app'],
    /^(?![^]*s3cret)[^]*this command takes no arguments[^]*Usage: keyward migrate/,
  ],
  ['a word that every object knows', ['constructor'], /unknown command[^]*Usage: keyward <command>/],
  ['an unknown option', ['--force'], /Unknown option '--force'/],
])('%s is an error that says what there is', async (_, args, words) => {
  const { code, stdout, stderr } = await keyward(args)
  expect(code).toBe(1)
  expect(stdout).toBe('')
  expect(stderr).toMatch(/^keyward: /)
  expect(stderr).toMatch(words)
  expect(stderr).not.toMatch(/^\s+at /m)
})

test('`keyward migrate` applies what is new, says what, and says so when there is nothing', async () => {
  const { url, database } = await makeDatabase()
  const first = await keyward(['migrate'], { DATABASE_URL: url })
  expect(first).toEqual({
    code: 0,
    stdout:
      'Applied: 0001-users.sql, 0002-sessions.sql, 0003-signing-keys.sql, 0004-password-attempts.sql, 0005-hash-kinds.sql, 0006-attempts-by-key.sql, 0007-generated-passwords.sql\n',
    stderr: '',
  })
  expect(await database.query('select * from users')).toEqual([])
  const second = await keyward(['migrate'], { DATABASE_URL: url })
  expect(second).toEqual({ code: 0, stdout: 'The database is up to date.\n', stderr: '' })
})

test('`keyward migrate` says that it has adopted a users table', async () => {
  const { url, database } = await makeDatabase()
  await makePythonUsersTable(database)
  const { code, stdout } = await keyward(['migrate'], { DATABASE_URL: url })
  expect(code).toBe(0)
  expect(stdout).toBe(
    'The existing users table was adopted.\nApplied: 0001-users.sql, 0002-sessions.sql, 0003-signing-keys.sql, 0004-password-attempts.sql, 0005-hash-kinds.sql, 0006-attempts-by-key.sql, 0007-generated-passwords.sql\n',
  )
  expect(await database.query('select id from users')).toHaveLength(3)
})

test('`keyward migrate` and `keyward start` refuse a foreign users table, naming each difference', async () => {
  const { url, database } = await makeDatabase()
  await database.query('create table users (id serial primary key, connection_id integer not null)')
  for (const command of ['migrate', 'start']) {
    const { code, stdout, stderr } = await keyward([command], { DATABASE_URL: url })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^keyward: There is a users table here that Keyward cannot share/)
    expect(stderr).toContain('  - column id is integer, expected uuid\n')
    expect(stderr).toContain('  - column email is missing\n')
    expect(stderr).toContain('  - column connection_id must be filled')
    expect(stdout).toBe('')
  }
  expect(await database.query("select 1 from pg_class where relname like 'keyward%'")).toEqual([])
})

test('`node dist/main.js` starts the server too', async () => {
  const { url } = await makeDatabase()
  const server = await startKeyward({ command: [join(ROOT, 'dist/main.js')], env: { DATABASE_URL: url } })
  expect((await call(server, 'GET /health/ready')).status).toBe(200)
  expect(await server.stop()).toBe(0)
})

test('without its compiled files it says plainly what to do', async () => {
  const folder = makeTempFolder()
  cpSync(join(ROOT, 'bin'), join(folder, 'bin'), { recursive: true })
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'))
  const { code, stdout, stderr } = await runKeyward({ command: [join(folder, 'bin/keyward.js'), 'start'] })
  expect(code).toBe(1)
  expect(stdout).toBe('')
  expect(stderr).toBe('Keyward is not built. Run `npm ci --include=dev` in its folder, then try again.\n')
})

test('`keyward users` shows what another stack has stored on one line each, and never obeys it', async () => {
  const { url, database } = await makeDatabase()
  await keyward(['migrate'], { DATABASE_URL: url })
  const email =
    'a\n00000000-0000-4000-8000-000000000000  active  \u001B[2J\u009B31m\u2028\u202Emoc@example.com'
  await database.query(
    "insert into users (id, email, name, password_hash) values (gen_random_uuid(), $1, $1, 'none')",
    [email],
  )
  const { stdout } = await keyward(['users', 'list'], { DATABASE_URL: url })
  expect(stdout.trimEnd()).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u)
  expect(stdout).toContain(
    '  a\\u000a00000000-0000-4000-8000-000000000000  active  \\u001b[2J\\u009b31m\\u2028\\u202emoc@',
  )
  const json = (await keyward(['users', 'list', '--json'], { DATABASE_URL: url })).stdout
  expect(json).not.toMatch(/[\u007F-\u009F\u2028\u202E]/)
  expect(JSON.parse(json).users[0]).toMatchObject({ email, name: email })
})
