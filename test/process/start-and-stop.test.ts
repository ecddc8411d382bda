import { execFile } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { ADA, call, logInAda, registerAda } from '../support/call.js'
import { startKeyward } from '../support/keyward-process.js'
import { skipBecause } from '../support/skip-because.js'
import { waitUntil } from '../support/wait-until.js'

/** The documented bound is 10 s; the rest is for a machine under load. */
const GONE_WITHIN_MS = 12_000

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

test('with nothing configured it starts, says where, and is ready', async () => {
  const keyward = await startKeyward()
  await waitUntil('all is said', () => keyward.output().includes('Stop it:'))
  expect(keyward.output()).toContain(`Keyward listens on ${keyward.url}`)
  expect(new URL(keyward.url).hostname).toBe('127.0.0.1')
  expect(await call(keyward, 'GET /health/ready')).toMatchObject({ status: 200, body: { status: 'ready' } })

  const docs = /API pages: +(\S+)/.exec(keyward.output())?.[1]
  expect(docs).toBe(`${keyward.url}/docs`)
  expect((await fetch(docs ?? '')).status).toBe(200)
})

test('the command that it prints to try it registers an account', async (context) => {
  const curl = await promisify(execFile)('curl', ['--version']).catch(() => null)
  if (curl === null) skipBecause(context, 'curl is not installed')
  const keyward = await startKeyward()
  await waitUntil('all is said', () => keyward.output().includes('Stop it:'))
  const command = /Try it: +(curl [^]*?)\n +Stop it:/.exec(keyward.output())?.[1] ?? ''
  const { stdout } = await promisify(execFile)('sh', ['-c', command])
  expect(JSON.parse(stdout)).toMatchObject({
    access_token: expect.any(String),
    user: { email: 'ada@example.com', name: 'Ada Lovelace' },
  })
})

test('SIGTERM ends it in order, and a restart knows its accounts and tokens', async () => {
  const first = await startKeyward()
  const token = await registerAda(first)
  expect(await first.stop()).toBe(0)
  expect(first.output()).toContain('"stopped"')

  const second = await startKeyward({ folder: first.folder })
  const profile = await call(second, 'GET /api/auth/profile', { token })
  expect(profile).toMatchObject({ status: 200, body: { email: ADA.email, name: ADA.name } })
  expect((await logInAda(second)).status).toBe(200)
})

test('its data folder, database and secret are for their owner alone, and the secret is never printed', async () => {
  const keyward = await startKeyward({ env: { LOG_LEVEL: 'debug' } })
  const token = await registerAda(keyward)
  const data = join(keyward.folder, 'data')
  expect(modeOf(data)).toBe('700')
  expect(modeOf(join(data, 'postgres'))).toBe('700')
  expect(modeOf(join(data, 'secret'))).toBe('600')
  const secret = readFileSync(join(data, 'secret'), 'utf8')
  expect(secret).toMatch(/^[\w-]{43}\n$/)
  keyward.signal('SIGINT')
  expect(await keyward.exited()).toBe(0)
  expect(keyward.output()).not.toContain(secret.trim())
  expect(keyward.output()).not.toContain(token)
})

test('logins in flight are finished when it is told to stop, and further signals change nothing', async () => {
  const keyward = await startKeyward()
  await registerAda(keyward)
  // More than are hashed at a time: once the first is answered, all the others are inside.
  const logins = Array.from({ length: 6 }, () => logInAda(keyward))
  await Promise.race(logins)
  const told = performance.now()
  keyward.signal('SIGTERM')
  await waitUntil('it is stopping', () => keyward.output().includes('"stopping"'))
  keyward.signal('SIGTERM')
  keyward.signal('SIGINT')
  const answers = await Promise.all(logins)
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
  expect(await keyward.exited()).toBe(0)
  expect(performance.now() - told).toBeLessThan(GONE_WITHIN_MS)
})

test('a client that never finishes its request cannot keep it from stopping', async () => {
  const keyward = await startKeyward()
  const socket = net.connect(Number(new URL(keyward.url).port), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(
    'POST /api/auth/login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n' +
      'content-length: 100\r\nexpect: 100-continue\r\n\r\n',
  )
  // "100 Continue" says that the server has begun to read this request.
  await new Promise((resolve) => socket.once('data', resolve))
  const told = performance.now()
  expect(await keyward.stop()).toBe(0)
  expect(performance.now() - told).toBeLessThan(GONE_WITHIN_MS)
  socket.destroy()
})
