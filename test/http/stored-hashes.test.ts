import { hash as argon2Hash } from '@node-rs/argon2'
import { hash as bcryptHash } from '@node-rs/bcrypt'
import { describe, expect, test } from 'vitest'
import { type TestApp, type User, PASSWORD, useTestApp } from '../support/test-app.js'
import { expectProblem } from './expect-problem.js'
import { readHash, writeHash } from './users-table.js'

const app = useTestApp({ environment: { BCRYPT_COST: '5' } })
const argon2App = useTestApp({ environment: { PASSWORD_HASH: 'argon2id' } })

const CONFIGURED = /^\$2b\$05\$[./A-Za-z0-9]{53}$/
const ARGON2ID = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/

const login = (on: TestApp, { email }: User, password: string) =>
  on.post('/api/auth/login', { email, password })

const weakArgon2id = (password: string) =>
  argon2Hash(password, { memoryCost: 1_024, timeCost: 1, parallelism: 1 })

/** Hashes as an older release or another stack has left them, with their password. */
const OUTDATED: Record<string, () => Promise<{ password: string; hash: string }>> = {
  'bcrypt at a lower cost': async () => ({ password: PASSWORD, hash: await bcryptHash(PASSWORD, 4) }),
  'bcrypt in its $2a$ variant': async () => ({
    password: PASSWORD,
    hash: (await bcryptHash(PASSWORD, 5)).replace('$2b$', '$2a$'),
  }),
  'bcrypt in its $2y$ variant': async () => ({
    password: PASSWORD,
    hash: (await bcryptHash(PASSWORD, 5)).replace('$2b$', '$2y$'),
  }),
  argon2id: async () => ({ password: PASSWORD, hash: await weakArgon2id(PASSWORD) }),
  // From the documentation of passlib's bcrypt_sha256.
  'version 1 of bcrypt-sha256': async () => ({
    password: 'password',
    hash: '$bcrypt-sha256$2a,12$LrmaIX5x4TRtAwEfwJZa1.$2ehnw6LvuIUTM0iz4iz9hTxv21B6KFO',
  }),
}

describe.for(Object.keys(OUTDATED))('a hash of %s', (name) => {
  const make = OUTDATED[name]!

  test('is renewed by the first login, with its event, and then left alone', async () => {
    const user = await app.newUser()
    const { password, hash } = await make()
    await writeHash(app.database, user.id, hash)
    const events = app.events('password_rehashed').length
    expect((await login(app, user, password)).status).toBe(200)
    const renewed = await readHash(app.database, user.id)
    expect(renewed).toMatch(CONFIGURED)
    expect((await login(app, user, password)).status).toBe(200)
    expect(await readHash(app.database, user.id)).toBe(renewed)
    expect(app.events('password_rehashed').slice(events)).toStrictEqual([
      expect.objectContaining({ user_id: user.id, request_id: expect.any(String) }),
    ])
  })

  test('is neither matched nor touched by a wrong password', async () => {
    const user = await app.newUser()
    const { password, hash } = await make()
    await writeHash(app.database, user.id, hash)
    expectProblem(await login(app, user, `${password}!`), 'invalid_credentials')
    expect(await readHash(app.database, user.id)).toBe(hash)
  })

  test('becomes argon2id where that is configured', async () => {
    const user = await argon2App.newUser()
    const { password, hash } = await make()
    await writeHash(argon2App.database, user.id, hash)
    expect((await login(argon2App, user, password)).status).toBe(200)
    expect(await readHash(argon2App.database, user.id)).toMatch(ARGON2ID)
    expect((await login(argon2App, user, password)).status).toBe(200)
  })
})

test('log-ins that meet an outdated hash at the same time all succeed', async () => {
  const user = await app.newUser()
  await writeHash(app.database, user.id, await bcryptHash(PASSWORD, 4))
  const replies = await Promise.all(Array.from({ length: 8 }, () => login(app, user, PASSWORD)))
  expect(replies.map(({ status }) => status)).toEqual(Array(8).fill(200))
  expect(await readHash(app.database, user.id)).toMatch(CONFIGURED)
})

test('a hash that is stronger than configured is left alone', async () => {
  const user = await app.newUser()
  const hash = await bcryptHash(PASSWORD, 6)
  await writeHash(app.database, user.id, hash)
  expect((await login(app, user, PASSWORD)).status).toBe(200)
  expect(await readHash(app.database, user.id)).toBe(hash)
})

test.for(['', '!', PASSWORD, '$2b$05$', '$1$salt$abcdefghijklmnopqrstuv', '{PLAIN}x'])(
  'an unreadable hash matches no password, not even itself: %j',
  async (hash) => {
    const user = await app.newUser()
    await writeHash(app.database, user.id, hash)
    for (const password of ['', hash, PASSWORD]) {
      expectProblem(await login(app, user, password), 'invalid_credentials')
    }
    expect(await readHash(app.database, user.id)).toBe(hash)
  },
)

test('a new account gets the configured scheme', async () => {
  const { id } = await app.newUser()
  expect(await readHash(app.database, id)).toMatch(CONFIGURED)
  const other = await argon2App.newUser()
  expect(await readHash(argon2App.database, other.id)).toMatch(ARGON2ID)
  expect((await login(argon2App, other, PASSWORD)).status).toBe(200)
  expectProblem(await login(argon2App, other, `${PASSWORD}!`), 'invalid_credentials')
})

test('two accounts with one password have two hashes', async () => {
  const [first, second] = [await app.newUser(), await app.newUser()]
  expect(await readHash(app.database, first.id)).not.toBe(await readHash(app.database, second.id))
})

describe('a long password', () => {
  const of = (bytes: number) => 'C0rrect!'.padEnd(bytes, 'abcdefghij')

  test('of 100 bytes is hashed with SHA-256 before bcrypt', async () => {
    const { id } = await app.newUser({ password: of(100) })
    expect(await readHash(app.database, id)).toMatch(
      /^\$bcrypt-sha256\$v=2,t=2b,r=5\$[./A-Za-z0-9]{22}\$[./A-Za-z0-9]{31}$/,
    )
  })

  test.for([70, 71, 72, 73, 100, 128])('of %i bytes counts to its last one', async (bytes) => {
    for (const on of [app, argon2App]) {
      const password = of(bytes)
      const user = await on.newUser({ password })
      expect((await login(on, user, password)).status).toBe(200)
      expectProblem(await login(on, user, `${password.slice(0, -1)}?`), 'invalid_credentials')
      expectProblem(await login(on, user, password.slice(0, -1)), 'invalid_credentials')
      expectProblem(await login(on, user, `${password}x`), 'invalid_credentials')
      expectProblem(await login(on, user, password.slice(0, 72).padEnd(100, '?')), 'invalid_credentials')
    }
  })

  test('counts in bytes of UTF-8, not in characters', async () => {
    const password = `1!${'é'.repeat(40)}`
    const user = await app.newUser({ password })
    expect(await readHash(app.database, user.id)).toContain('$bcrypt-sha256$v=2')
    expectProblem(await login(app, user, `1!${'é'.repeat(39)}è`), 'invalid_credentials')
    expect((await login(app, user, password)).status).toBe(200)
  })

  test('that another stack has cut to 72 bytes is renewed in full', async () => {
    const user = await app.newUser()
    await writeHash(app.database, user.id, await bcryptHash(of(100), 5))
    expect((await login(app, user, of(100))).status).toBe(200)
    expect(await readHash(app.database, user.id)).toContain('$bcrypt-sha256$v=2,t=2b,r=5$')
    expectProblem(await login(app, user, `${of(72)}another tail`), 'invalid_credentials')
  })
})
