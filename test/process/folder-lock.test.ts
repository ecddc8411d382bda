import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FolderInUseError, lockFolder } from '../../src/db/folder-lock.js'
import { call, logInAda, registerAda } from '../support/call.js'
import { KEYWARD, launchKeyward, runKeyward, startKeyward } from '../support/keyward-process.js'
import { skipBecause } from '../support/skip-because.js'
import { makeTempFolder } from '../support/temp-folder.js'
import { waitUntil } from '../support/wait-until.js'

const IN_USE = 'Another Keyward is using'

const socketsIn = (folder: string): string[] => readdirSync(join(folder, 'data/lock'))

test('a second process on one data folder is refused in words, and the first goes on', async () => {
  const first = await startKeyward()
  const token = await registerAda(first)
  const second = await runKeyward({ folder: first.folder, env: { PORT: '0' } })
  expect(second.code).toBe(1)
  expect(second.stderr).toContain(`${IN_USE} ${join(first.folder, 'data')}`)
  expect(second.stderr).toContain('set DATABASE_URL')
  const migration = await runKeyward({ folder: first.folder, command: [KEYWARD, 'migrate'] })
  expect(migration.code).toBe(1)
  expect(migration.stderr).toContain(IN_USE)
  expect((await call(first, 'GET /api/auth/profile', { token })).status).toBe(200)
  expect(socketsIn(first.folder)).toHaveLength(1)
})

test('of processes that start together exactly one gets the folder', async () => {
  const folder = makeTempFolder()
  const all = Array.from({ length: 6 }, () => launchKeyward({ folder, env: { PORT: '0' } }))
  const endings = all.map(() => 'running')
  all.forEach((each, index) => {
    void each.exited().then((code) => {
      endings[index] = `exit ${code}`
    })
  })
  await waitUntil('one listens and the rest is gone', () => {
    const gone = endings.filter((ending) => ending !== 'running').length
    return gone >= 5 && all.some((each) => each.output().includes('"listening"'))
  })
  expect(endings.filter((ending) => ending === 'exit 1')).toHaveLength(5)
  expect(all.filter((each) => each.output().includes(IN_USE))).toHaveLength(5)
  expect(socketsIn(folder)).toHaveLength(1)
})

test('of many contenders at once exactly one holds, round after round', async () => {
  const folder = makeTempFolder()
  for (let round = 0; round < 50; round++) {
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => lockFolder(folder)))
    const held = outcomes.filter((outcome) => outcome.status === 'fulfilled')
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(held).toHaveLength(1)
    for (const { reason } of refused) expect(reason).toBeInstanceOf(FolderInUseError)
    await held[0]?.value.release()
    expect(readdirSync(join(folder, 'lock'))).toEqual([])
  }
})

test('as long as one holds, all who come later are refused, whatever their random names', async () => {
  const folder = makeTempFolder()
  for (let round = 0; round < 20; round++) {
    const lock = await lockFolder(folder)
    const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => lockFolder(folder)))
    expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 'rejected'))
    await lock.release()
  }
})

test('a holder that was killed never blocks the next start, and its dead socket is cleared away', async () => {
  const killed = await startKeyward()
  await registerAda(killed)
  const [deadSocket] = socketsIn(killed.folder)
  killed.signal('SIGKILL')
  expect(await killed.exited()).toBeNull()
  expect(socketsIn(killed.folder)).toEqual([deadSocket])

  const next = await startKeyward({ folder: killed.folder })
  expect((await logInAda(next)).status).toBe(200)
  expect(socketsIn(killed.folder)).toHaveLength(1)
  expect(socketsIn(killed.folder)).not.toContain(deadSocket)
})

test('a process that is killed while it starts never blocks the next one', async () => {
  const folder = makeTempFolder()
  const reached: ((keyward: { output(): string }) => boolean)[] = [
    () => existsSync(join(folder, 'data/lock')),
    () => existsSync(join(folder, 'data/postgres.unfinished')) || existsSync(join(folder, 'data/postgres')),
    () => existsSync(join(folder, 'data/postgres')),
    (keyward) => keyward.output().includes('migration applied'),
  ]
  for (const isReached of reached) {
    const keyward = launchKeyward({ folder, env: { PORT: '0' } })
    await waitUntil('the start has come that far', () => isReached(keyward))
    keyward.signal('SIGKILL')
    await keyward.exited()
  }
  await registerAda(await startKeyward({ folder }))
})

test('a holder that is stopped, not dead, still holds', async () => {
  const holder = await startKeyward()
  await registerAda(holder)
  holder.signal('SIGSTOP')
  const other = await runKeyward({ folder: holder.folder, env: { PORT: '0' } })
  holder.signal('SIGCONT')
  expect(other.code).toBe(1)
  expect(other.stderr).toContain(IN_USE)
  expect((await logInAda(holder)).status).toBe(200)
})

test('a data folder deep down works and is locked all the same', async (context) => {
  if (process.platform !== 'linux') skipBecause(context, 'socket addresses of any depth are for Linux only')
  const folder = makeTempFolder()
  const env = { PORT: '0', DATA_DIR: join(folder, ...Array.from({ length: 6 }, () => 'd'.repeat(60))) }
  await registerAda(await startKeyward({ folder, env }))
  const second = await runKeyward({ folder, env })
  expect(second.code).toBe(1)
  expect(second.stderr).toContain(IN_USE)
})

test('a database of another PostgreSQL version is refused in words and left alone', async () => {
  const keyward = await startKeyward()
  await keyward.stop()
  const versionFile = join(keyward.folder, 'data/postgres/PG_VERSION')
  const version = readFileSync(versionFile, 'utf8')
  writeFileSync(versionFile, '17\n')
  const { code, stderr } = await runKeyward({ folder: keyward.folder, env: { PORT: '0' } })
  expect(code).toBe(1)
  expect(stderr).toContain(`was made by PostgreSQL 17; this Keyward embeds ${version.trim()}`)

  writeFileSync(versionFile, version)
  expect((await call(await startKeyward({ folder: keyward.folder }), 'GET /health/ready')).status).toBe(200)
})

test('a database that was left half-made is made anew', async () => {
  const folder = makeTempFolder()
  const unfinished = join(folder, 'data/postgres.unfinished')
  mkdirSync(join(unfinished, 'base'), { recursive: true })
  writeFileSync(join(unfinished, 'PG_VERSION'), '18\n')
  await registerAda(await startKeyward({ folder }))
  expect(existsSync(unfinished)).toBe(false)
})
