import { expect, onTestFinished, test } from 'vitest'
import { ADA, type Answer, call, logInAda, registerAda } from '../support/call.js'
import { KEYWARD, runKeyward, startKeyward } from '../support/keyward-process.js'
import { makeTempFolder } from '../support/temp-folder.js'
import { createServerDatabase } from '../support/test-database.js'

const SECRET = 'J8vXk2pQz7LmN4rTs9WbYc3DfGh6KjEa'

const unlockAda = (env: Record<string, string>, folder: string = makeTempFolder()) =>
  runKeyward({ command: [KEYWARD, 'users', 'unlock', ADA.email], env, folder })

async function guessUntilRefused(server: { url: string }): Promise<Answer> {
  const body = { email: ADA.email, password: 'wr0ng-Password!' }
  for (;;) {
    const answer = await call(server, 'POST /api/auth/login', { body })
    if (answer.status !== 401) return answer
  }
}

test('`keyward users unlock` opens a locked account beside a server with the embedded database', async () => {
  const server = await startKeyward()
  await registerAda(server)
  expect((await guessUntilRefused(server)).body.code).toBe('too_many_attempts')
  expect((await logInAda(server)).status).toBe(429)
  expect(await unlockAda({}, server.folder)).toEqual({
    code: 0,
    stdout: 'The failed attempts are forgotten: ada@example.com.\n',
    stderr: '',
  })
  expect((await logInAda(server)).status).toBe(200)
})

test('`keyward users unlock` needs the secret of a server on PostgreSQL, and says so', async () => {
  const { url, drop } = await createServerDatabase()
  onTestFinished(drop)
  const env = { NODE_ENV: 'production', DATABASE_URL: url }
  const server = await startKeyward({ env: { ...env, BETTER_AUTH_SECRET: SECRET } })
  await registerAda(server)
  await guessUntilRefused(server)
  expect(await unlockAda(env)).toEqual({
    code: 1,
    stdout: '',
    stderr: 'keyward: This needs the secret of the server. Give it the same settings.\n',
  })
  expect((await logInAda(server)).status).toBe(429)
  expect((await unlockAda({ ...env, BETTER_AUTH_SECRET: SECRET })).code).toBe(0)
  expect((await logInAda(server)).status).toBe(200)
})

test('`keyward users set-password --generate` prints a password and until when it is good', async () => {
  const server = await startKeyward({ env: { GENERATED_PASSWORD_TTL: '600' } })
  await registerAda(server)
  const run = (...command: string[]) =>
    runKeyward({ command: [KEYWARD, 'users', ...command], env: {}, folder: server.folder })
  const earliest = Date.now() + 600_000
  const { code, stdout } = await run('set-password', ADA.email, '--generate')
  const [, expiry, password] =
    /^The password of ada@example\.com is set; all sessions ended\. It expires at (\S+) unless its owner changes it\.\n(\S+)\n$/.exec(
      stdout,
    ) ?? []
  expect([code, password]).toEqual([0, expect.stringMatching(/^.{20,}$/)])
  expect(Date.parse(expiry!)).toBeGreaterThanOrEqual(earliest)
  expect(Date.parse(expiry!)).toBeLessThanOrEqual(Date.now() + 600_000)
  expect((await call(server, 'POST /api/auth/login', { body: { ...ADA, password } })).status).toBe(200)

  expect((await run('show', ADA.email)).stdout).toContain(`generated password, good until ${expiry}\n`)
  const { users } = JSON.parse((await run('show', ADA.email, '--json')).stdout)
  expect(users).toEqual([expect.objectContaining({ email: ADA.email, password_expires_at: expiry })])
})
