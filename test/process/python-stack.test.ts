import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { call } from '../support/call.js'
import { findPython } from '../support/find-python.js'
import { type RunningKeyward, startKeyward } from '../support/keyward-process.js'
import { skipBecause } from '../support/skip-because.js'
import { createServerDatabase } from '../support/test-database.js'

const SECRET = 'q0Zk3vTnB8xWm5RjLs7YpUc2HdGf9EaK'
const SCRIPT = join(import.meta.dirname, '../fixtures/python-stack/stack.py')
const MODULES = 'fastapi, sqlmodel, passlib.context, bcrypt, jwt, psycopg2'

const run = promisify(execFile)
let python: string | null = null

beforeAll(async () => {
  python = await findPython(MODULES)
})
beforeEach((context) => {
  if (python === null) skipBecause(context, `no python3 here can import ${MODULES}`)
})

interface SharedTable {
  /** Runs one command of the Python stack on the shared database. */
  // oxlint-disable-next-line typescript/no-explicit-any
  inPython: (command: string, ...args: string[]) => Promise<any>
  startHere: (settings?: Record<string, string>) => Promise<RunningKeyward>
}

/** A database whose users table the Python stack has made, and both stacks on it with one secret. */
async function shareTable(): Promise<SharedTable> {
  const { url, drop } = await createServerDatabase()
  onTestFinished(drop)
  // As it stands in the Python stack's own settings.
  const databaseUrl = url.replace(/^postgres(ql)?:/, 'postgresql+psycopg2:')
  const inPython: SharedTable['inPython'] = async (command, ...args) => {
    const env = { PATH: process.env.PATH ?? '', DATABASE_URL: databaseUrl, SECRET }
    const { stdout } = await run(python ?? '', ['-W', 'ignore', SCRIPT, command, ...args], { env })
    return JSON.parse(stdout)
  }
  await inPython('create-table')
  return {
    inPython,
    startHere: (settings = {}) =>
      startKeyward({ env: { DATABASE_URL: databaseUrl, BETTER_AUTH_SECRET: SECRET, ...settings } }),
  }
}

const ada = { email: 'Ada@Example.com', name: 'Ada Lovelace', password: 'C0rrect-horse!battery' }
const grace = { email: 'grace@example.com', name: 'Grace Hopper', password: 'N4no-seconds!matter' }

const logIn = (keyward: RunningKeyward, { email, password }: { email: string; password: string }) =>
  call(keyward, 'POST /api/auth/login', { body: { email, password } })

test('an account of the Python stack logs in here, and its token is understood there', async () => {
  const { inPython, startHere } = await shareTable()
  const made = await inPython('register', ada.email, ada.name, ada.password)
  const keyward = await startHere()
  expect(keyward.output()).toContain('the existing users table was adopted')

  const { status, body } = await logIn(keyward, ada)
  expect(status).toBe(200)
  expect(body.user).toMatchObject({ id: made.id, email: made.email, name: made.name, is_active: true })
  expect(Date.parse(body.user.created_at)).toBe(Date.parse(made.created_at))

  const claims = await inPython('read-token', body.access_token)
  expect(claims).toMatchObject({ sub: made.id, email: made.email, exp: expect.any(Number) })
  expect((await logIn(keyward, { ...ada, password: 'Wr0ng-horse!battery' })).status).toBe(401)
  expect(await inPython('log-in', ada.email, ada.password)).toMatchObject({ id: made.id })
})

test('an account registered here logs in on the Python side', async () => {
  const { inPython, startHere } = await shareTable()
  const keyward = await startHere()
  const { status, body } = await call(keyward, 'POST /api/auth/register', { body: grace })
  expect(status).toBe(201)

  const user = await inPython('log-in', grace.email, grace.password)
  expect(user).toMatchObject({ id: body.user.id, email: grace.email, name: grace.name, is_active: true })
  expect(Date.parse(user.created_at)).toBe(Date.parse(body.user.created_at))
  expect(await inPython('log-in', grace.email, 'Wr0ng-seconds!matter')).toBeNull()
  expect(await inPython('read-token', body.access_token)).toMatchObject({ sub: body.user.id })
})

test('while both run, each logs in what the other registers', async () => {
  const { inPython, startHere } = await shareTable()
  const keyward = await startHere()
  await call(keyward, 'POST /api/auth/register', { body: grace })
  await inPython('register', ada.email, ada.name, ada.password)
  expect((await logIn(keyward, ada)).status).toBe(200)
  expect(await inPython('log-in', grace.email, grace.password)).toMatchObject({ name: grace.name })
  const again = await call(keyward, 'POST /api/auth/register', { body: { ...ada, email: 'ADA@example.com' } })
  expect(again.status).toBe(409)
})

test('a token made by the Python stack is refused, and accepted with ACCEPT_LEGACY_TOKENS=on', async () => {
  const { inPython, startHere } = await shareTable()
  const { id, email } = await inPython('register', ada.email, ada.name, ada.password)
  const token = await inPython('make-token', email, id)

  const strict = await startHere()
  const refused = await call(strict, 'GET /api/auth/profile', { token })
  expect(refused).toMatchObject({ status: 401, body: { code: 'invalid_token' } })
  await strict.stop()

  const lenient = await startHere({ ACCEPT_LEGACY_TOKENS: 'on' })
  const accepted = await call(lenient, 'GET /api/auth/profile', { token })
  expect(accepted).toMatchObject({ status: 200, body: { id, email, name: ada.name } })
})
