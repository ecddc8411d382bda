import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { call, registerAda } from '../support/call.js'
import { KEYWARD, runKeyward, startKeyward } from '../support/keyward-process.js'
import { makeTempFolder } from '../support/temp-folder.js'
import { createServerDatabase } from '../support/test-database.js'
import { newPrivateKey } from '../support/new-key.js'

const ENCRYPTION_SECRET = 'tB6yWq1ZsXn8RmVc4LdKf7PjHg2UeAo9'
const EDDSA = { JWT_ALGORITHM: 'EdDSA' }

const keyward = (args: string[], env: Record<string, string>, folder: string = makeTempFolder()) =>
  runKeyward({ command: [KEYWARD, ...args], env, folder })
async function makeDatabase(): Promise<string> {
  const { url, drop } = await createServerDatabase()
  onTestFinished(drop)
  return url
}
const publishedBy = async (server: { url: string }): Promise<string[]> =>
  (await call(server, 'GET /.well-known/jwks.json')).body.keys.map(({ kid }: { kid: string }) => kid)

test('`keyward keys` rotates and retires beside a server with the embedded database, which needs no setting for it', async () => {
  const server = await startKeyward({ env: EDDSA })
  const token = await registerAda(server)
  const [first] = await publishedBy(server)
  const run = (...args: string[]) => keyward(['keys', ...args], EDDSA, server.folder)

  const listed = await run('list')
  expect(listed).toMatchObject({ code: 0, stderr: '' })
  expect(listed.stdout).toMatch(new RegExp(`^${first}  EdDSA  signs     from \\d{4}-\\S+Z\\n$`))

  const only = await run('retire', first!)
  expect([only.code, only.stderr]).toEqual([
    1,
    'keyward: Nothing else could sign. Make a new key first: keyward keys rotate\n',
  ])

  const rotated = await run('rotate')
  expect(rotated.stdout).toMatch(/ signs in 300 seconds; [^]*\n[\w-]{43} {2}EdDSA {2}waits/)
  expect((await run('rotate')).stdout).toContain('nothing was changed')
  const [, next] = await publishedBy(server)
  expect((await call(server, 'GET /api/auth/profile', { token })).status).toBe(200)

  const retired = await run('retire', first!, '--json')
  const { keys, message } = JSON.parse(retired.stdout)
  expect(message).toContain(first)
  expect(keys).toEqual([
    { kid: next, algorithm: 'EdDSA', state: 'signs', signs_from: expect.any(String), verifies_until: null },
  ])
  expect(await publishedBy(server)).toEqual([next])
  expect((await call(server, 'GET /api/auth/profile', { token })).body.code).toBe('invalid_token')
})

test('`keyward keys` reaches a server on PostgreSQL through the database, and nobody has to restart', async () => {
  const env = { ...EDDSA, DATABASE_URL: await makeDatabase(), KEY_ENCRYPTION_SECRET: ENCRYPTION_SECRET }
  const server = await startKeyward({ env: { ...env, NODE_ENV: 'production' } })
  const token = await registerAda(server)
  expect((await keyward(['keys', 'rotate'], env)).code).toBe(0)
  await expect.poll(() => publishedBy(server)).toHaveLength(2)
  const [first] = await publishedBy(server)
  // Ending a key takes nothing but the database.
  const retired = await keyward(['keys', 'retire', first!], { DATABASE_URL: env.DATABASE_URL })
  expect(retired.code).toBe(0)
  await expect
    .poll(async () => (await call(server, 'GET /api/auth/profile', { token })).body.code)
    .toBe('invalid_token')
})

test('`keyward keys rotate` makes the key before any node signs with it, so that all can know it', async () => {
  const env = {
    DATABASE_URL: await makeDatabase(),
    KEY_ENCRYPTION_SECRET: ENCRYPTION_SECRET,
    BETTER_AUTH_SECRET: 'J8vXk2pQz7LmN4rTs9WbYc3DfGh6KjEa',
  }
  const server = await startKeyward({ env })
  expect(await publishedBy(server)).toEqual([])
  expect((await keyward(['keys', 'rotate'], { ...env, ...EDDSA })).code).toBe(0)
  await expect.poll(() => publishedBy(server)).toHaveLength(1)
})

test.each([
  ['an unknown action', ['steal'], /unknown action[^]*Usage: keyward keys/],
  ['no action', [], /unknown action[^]*Usage: keyward keys/],
  ['no kid', ['retire'], /retire takes one kid/],
  ['a kid too many', ['rotate', 'x'], /rotate takes no kid/],
  ['nothing to rotate', ['rotate'], /JWT_ALGORITHM is HS256/],
])('`keyward keys` with %s says what is wrong', async (_, args, words) => {
  const { code, stdout, stderr } = await keyward(['keys', ...args], { DATABASE_URL: await makeDatabase() })
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(words)
  expect(stderr).not.toMatch(/^\s+at /m)
})

test('`keyward keys --help` lists the actions', async () => {
  const { code, stdout } = await keyward(['keys', '--help'], {})
  expect(code).toBe(0)
  for (const word of ['Usage: keyward keys', 'list', 'rotate', 'retire <kid>']) expect(stdout).toContain(word)
})

test('a start in production demands the secret for keys in the database, and no other', async () => {
  const env = { ...EDDSA, NODE_ENV: 'production', DATABASE_URL: await makeDatabase() }
  const { code, stderr } = await keyward(['start'], env)
  expect(code).toBe(1)
  expect(stderr).toContain('KEY_ENCRYPTION_SECRET must be set in production')
  expect(stderr).not.toContain('BETTER_AUTH_SECRET must be set')
})

test('`keyward keys rotate` in production makes no secret of its own, with which no node could open the key', async () => {
  const env = { ...EDDSA, NODE_ENV: 'production', DATABASE_URL: await makeDatabase() }
  const folder = makeTempFolder()
  const { code, stderr } = await keyward(['keys', 'rotate'], env, folder)
  expect(code).toBe(1)
  expect(stderr).toContain('set KEY_ENCRYPTION_SECRET')
  expect(existsSync(join(folder, 'data'))).toBe(false)
})

test('a start with another encryption secret says so and ends', async () => {
  const env = { ...EDDSA, DATABASE_URL: await makeDatabase(), KEY_ENCRYPTION_SECRET: ENCRYPTION_SECRET }
  await (await startKeyward({ env })).stop()
  const wrong = 'Wq1ZsXn8RmVc4LdKf7PjHg2UeAo9tB6y'
  const { code, stderr, stdout } = await keyward(['start'], { ...env, KEY_ENCRYPTION_SECRET: wrong })
  expect(code).toBe(1)
  expect(stderr).toContain('do not open with this KEY_ENCRYPTION_SECRET')
  expect(stdout + stderr).not.toContain(wrong)
})

test('keys in files sign and verify, and can be exchanged one after the other', async () => {
  const folder = makeTempFolder()
  const kids = ['a', 'b'].map((name) => {
    const key = newPrivateKey('ES256')
    const pem = `-----BEGIN PRIVATE KEY-----\n${key.toPkcs8().toString('base64')}\n-----END PRIVATE KEY-----\n`
    writeFileSync(join(folder, `${name}.pem`), pem)
    return key.kid
  })
  const env = { JWT_ALGORITHM: 'ES256', NODE_ENV: 'production', DATABASE_URL: await makeDatabase() }
  const before = await startKeyward({ env: { ...env, JWT_KEY_FILES: 'a.pem,b.pem' }, folder })
  const token = await registerAda(before)
  expect(await publishedBy(before)).toEqual(kids)
  await before.stop()
  const after = await startKeyward({ env: { ...env, JWT_KEY_FILES: 'b.pem, a.pem' }, folder })
  expect((await call(after, 'GET /api/auth/profile', { token })).status).toBe(200)
  const rotated = await keyward(['keys', 'rotate'], { ...env, JWT_KEY_FILES: 'b.pem' }, folder)
  expect(rotated.stderr).toContain('The keys are not in the database')
})
