import { createHash, randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { purge } from '../../src/revocation/purge.js'
import { PRESENT, type User, useTestApp } from '../support/test-app.js'

const IDLE_TTL_SECONDS = 86_400
const app = useTestApp({ startAt: PRESENT })

const run = (sql: string, ...values: unknown[]) => app.database.query(sql, values)
const purgeNow = () => purge(app.database, IDLE_TTL_SECONDS)
const HASH = (token: string): Buffer => createHash('sha256').update(token).digest()

const hasSession = async ({ sessionId }: User): Promise<boolean> =>
  (await run('select 1 from keyward_sessions where id = $1', sessionId)).length === 1

const tokensOf = async ({ sessionId }: User): Promise<number> =>
  (await run('select 1 from keyward_refresh_tokens where session_id = $1', sessionId)).length

const MOVE = {
  expires_at: "update keyward_sessions set expires_at = now() - $2 * interval '1 minute' where id = $1",
  access_expires_at:
    "update keyward_sessions set access_expires_at = now() - $2 * interval '1 minute' where id = $1",
}

test('a live session stays, and is good for everything', async () => {
  const user = await app.newUser()
  await purgeNow()
  expect((await user.get('/api/auth/sessions')).body.sessions).toHaveLength(1)
  expect((await app.refresh(user.refreshToken)).status).toBe(200)
})

test('an expired session goes, with its tokens, an hour after by the database’s clock', async () => {
  const [recent, old] = [await app.newUser(), await app.newUser()]
  for (const user of [recent, old]) await run(MOVE.access_expires_at, user.sessionId, 70)
  await run(MOVE.expires_at, recent.sessionId, 59)
  await run(MOVE.expires_at, old.sessionId, 61)
  await purgeNow()
  expect([await hasSession(recent), await hasSession(old)]).toEqual([true, false])
  expect([await tokensOf(recent), await tokensOf(old)]).toEqual([1, 0])
})

test('an ended session goes an hour after its last access token has expired', async () => {
  const [live, recent, old] = [await app.newUser(), await app.newUser(), await app.newUser()]
  for (const user of [live, recent, old]) await user.post('/api/auth/logout')
  await run(MOVE.access_expires_at, recent.sessionId, 59)
  await run(MOVE.access_expires_at, old.sessionId, 61)
  await purgeNow()
  expect([await hasSession(live), await hasSession(recent), await hasSession(old)]).toEqual([
    true,
    true,
    false,
  ])
})

test('a session whose last access token has expired long ago stays while it can be refreshed', async () => {
  const user = await app.newUser()
  await run(MOVE.access_expires_at, user.sessionId, 10_000)
  await purgeNow()
  expect((await app.refresh(user.refreshToken)).status).toBe(200)
})

test('a row of the feed goes an hour after what it concerns has expired', async () => {
  const [recent, old] = [await app.newUser(), await app.newUser()]
  for (const user of [recent, old]) await user.post('/api/auth/logout')
  const move =
    "update keyward_revocations set expires_at = now() - $2 * interval '1 minute' where session_id = $1"
  await run(move, recent.sessionId, 59)
  await run(move, old.sessionId, 61)
  await purgeNow()
  const left = await run('select session_id from keyward_revocations where session_id = any($1::uuid[])', [
    recent.sessionId,
    old.sessionId,
  ])
  expect(left).toEqual([{ session_id: recent.sessionId }])
})

test('purging a session is no news', async () => {
  const [expired, ended] = [await app.newUser(), await app.newUser()]
  await ended.post('/api/auth/logout')
  for (const user of [expired, ended]) {
    await run(MOVE.access_expires_at, user.sessionId, 100)
    await run(MOVE.expires_at, user.sessionId, 100)
  }
  const readHead = () => run('select last_seq from keyward_revocation_head')
  const before = await readHead()
  await purgeNow()
  expect([await hasSession(expired), await hasSession(ended)]).toEqual([false, false])
  expect(await readHead()).toEqual(before)
})

test('a spent refresh token goes once its session would be idle-expired; the current one never does', async () => {
  const user = await app.newUser()
  const { refresh_token: child } = (await app.refresh(user.refreshToken)).body
  const { refresh_token: grandchild } = (await app.refresh(child)).body
  const move =
    "update keyward_refresh_tokens set created_at = now() - $2 * interval '1 minute' where token_hash = $1"
  const limit = IDLE_TTL_SECONDS / 60 + 60
  await run(move, HASH(user.refreshToken), limit + 1)
  await run(move, HASH(child), limit - 1)
  await run(move, HASH(grandchild), limit + 1_000)
  await purgeNow()
  const left = await run(
    'select token_hash from keyward_refresh_tokens where session_id = $1',
    user.sessionId,
  )
  expect(left).toHaveLength(2)
  expect((await app.refresh(user.refreshToken)).status).toBe(401)
  const next = await app.refresh(grandchild)
  expect(next.status).toBe(200)
  // Its parent has not been forgotten.
  expect((await app.refresh(child)).status).toBe(401)
  expect((await app.refresh(next.body.refresh_token)).status).toBe(401)
})

const COUNT = 1_300

async function addOldRows(): Promise<void> {
  await purgeNow()
  const { id } = await app.newUser()
  await run(
    `insert into keyward_sessions (id, user_id, created_at, last_seen_at, idle_expires_at, expires_at,
                                   access_expires_at, address, user_agent, refresh_hash)
     select gen_random_uuid(), $1, t, t, t, t, t, '', '', ''
       from (select now() - interval '1 day' as t) as time, generate_series(1, $2::int)`,
    id,
    COUNT,
  )
  await run(
    `insert into keyward_revocations (seq, session_id, expires_at)
     select 1000000 + n, $1, now() - interval '1 day' from generate_series(1, $2::int) as n`,
    randomUUID(),
    COUNT,
  )
}

const countOld = async (): Promise<number> =>
  (
    await run(`select 1 from keyward_sessions where expires_at < now() - interval '2 hours'
               union all
               select 1 from keyward_revocations where expires_at < now() - interval '2 hours'`)
  ).length

test('more rows than one statement takes go in one run', async () => {
  await addOldRows()
  expect(await purgeNow()).toBe(2 * COUNT)
  expect(await countOld()).toBe(0)
})

test('nodes that purge at once share the work', async () => {
  await addOldRows()
  const removed = await Promise.all([purgeNow(), purgeNow(), purgeNow()])
  const rest = await purgeNow()
  expect(removed.reduce((sum, each) => sum + each, rest)).toBe(2 * COUNT)
  expect(await countOld()).toBe(0)
})
