import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { call, logInAda, registerAda } from '../support/call.js'
import { runKeyward, startKeyward } from '../support/keyward-process.js'
import { freePort } from '../support/postgres-server.js'
import { makeTempFolder } from '../support/temp-folder.js'
import { createServerDatabase } from '../support/test-database.js'

const SECRET = 'q0Zk3vTnB8xWm5RjLs7YpUc2HdGf9EaK'

/** The answers of a start that is refused: in words, without a stack. */
async function expectRefusedStart(env: Record<string, string>, folder = makeTempFolder()): Promise<string> {
  const { code, stderr } = await runKeyward({ env, folder })
  expect(code).toBe(1)
  expect(stderr).toMatch(/^keyward: /)
  expect(stderr).not.toMatch(/^\s+at /m)
  return stderr
}

test('HOST and PORT say where it listens', async () => {
  const port = String(await freePort())
  const keyward = await startKeyward({ env: { HOST: '0.0.0.0', PORT: port } })
  expect(keyward.url).toBe(`http://0.0.0.0:${port}`)
  expect((await call({ url: `http://127.0.0.1:${port}` }, 'GET /health/live')).status).toBe(200)
})

test('a port that is in use is an error in words, and does not hold the data folder any longer', async () => {
  const { url } = await startKeyward()
  const { port } = new URL(url)
  const folder = makeTempFolder()
  const message = await expectRefusedStart({ PORT: port }, folder)
  expect(message).toContain('address already in use')
  expect(message).toContain(port)
  expect((await call(await startKeyward({ folder }), 'GET /health/ready')).status).toBe(200)
})

test('a .env in the working directory is read, and the environment goes before it', async () => {
  const folder = makeTempFolder()
  writeFileSync(join(folder, '.env'), 'DATA_DIR=./elsewhere\nDOCS=off\nJWT_ISSUER="of the file"\n')
  const keyward = await startKeyward({ folder, env: { JWT_ISSUER: 'of the environment' } })
  expect(existsSync(join(folder, 'elsewhere/postgres'))).toBe(true)
  expect(existsSync(join(folder, 'data'))).toBe(false)
  expect((await call(keyward, 'GET /docs')).status).toBe(404)

  const [, payload = ''] = (await registerAda(keyward)).split('.')
  expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({
    iss: 'of the environment',
  })
})

test('a secret file that others may read is closed to them', async () => {
  const folder = makeTempFolder()
  mkdirSync(join(folder, 'data'))
  const path = join(folder, 'data/secret')
  writeFileSync(path, `${SECRET}\n`)
  chmodSync(path, 0o644)
  await startKeyward({ folder })
  expect((statSync(path).mode & 0o777).toString(8)).toBe('600')
})

test('a data folder that cannot be made is an error in words', async () => {
  const folder = makeTempFolder()
  writeFileSync(join(folder, 'file'), '')
  expect(await expectRefusedStart({ DATA_DIR: './file/data' }, folder)).toContain(join(folder, 'file/data'))
})

test('production refuses to start without a secret and a database, and leaves no data behind', async () => {
  const folder = makeTempFolder()
  const message = await expectRefusedStart({ NODE_ENV: 'production' }, folder)
  expect(message).toContain('BETTER_AUTH_SECRET must be set in production')
  expect(message).toContain('DATABASE_URL must be set in production')
  expect(readdirSync(folder)).toEqual(['home'])
})

test('all mistakes are listed at once, and no secret is repeated', async () => {
  const message = await expectRefusedStart({
    NODE_ENV: 'production',
    BETTER_AUTH_SECRET: 'too-short-hunter2',
    DATABASE_URL: 'mysql://keyward:hunter3@localhost/keyward',
    PORT: 'eighty',
    BCRYPT_COST: '4',
    PASSWORD_POLICY: 'none',
  })
  for (const name of ['BETTER_AUTH_SECRET', 'DATABASE_URL', 'PORT', 'BCRYPT_COST', 'PASSWORD_POLICY']) {
    expect(message).toMatch(new RegExp(`^ +- ${name} `, 'm'))
  }
  expect(message).not.toContain('hunter')
})

test('production prints JSON only', async () => {
  const env = { NODE_ENV: 'production', BETTER_AUTH_SECRET: SECRET, EMBEDDED: 'on' }
  const keyward = await startKeyward({ env })
  await registerAda(keyward)
  expect(await keyward.stop()).toBe(0)
  const lines = keyward.output().trimEnd().split('\n')
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ level: expect.any(String) })
  expect(existsSync(join(keyward.folder, 'data/secret'))).toBe(false)
})

test('DATABASE_URL beside an embedded database that holds accounts warns that they do not move', async () => {
  const embedded = await startKeyward()
  await registerAda(embedded)
  await embedded.stop()
  expect(embedded.output()).not.toContain('DATABASE_URL is set')

  const { url, drop } = await createServerDatabase()
  onTestFinished(drop)
  const onServer = await startKeyward({ folder: embedded.folder, env: { DATABASE_URL: url } })
  expect(onServer.output()).toContain('DATABASE_URL is set, so the embedded database in DATA_DIR is not used')
  expect((await logInAda(onServer)).status).toBe(401)
  await onServer.stop()

  expect((await logInAda(await startKeyward({ folder: embedded.folder }))).status).toBe(200)
})
