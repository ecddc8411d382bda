import { expect, test } from 'vitest'
import { createActivity } from '../../src/sessions/activity.js'
import { createSessionStore } from '../../src/sessions/sql.js'
import { NOW, useTestApp } from '../support/test-app.js'

const app = useTestApp()

test('of any number of sessions in use, each is written down', async () => {
  const { id } = await app.newUser()
  const later = NOW + 60_000
  const sessions = await app.database.query<{ id: string }>(
    `insert into keyward_sessions (id, user_id, refresh_hash, address, user_agent, created_at, last_seen_at,
                                   idle_expires_at, expires_at, access_expires_at)
     select gen_random_uuid(), $1, sha256(i::text::bytea), '', '', $2, $2, $2, $2, $2
       from generate_series(1, 250) as i
     returning id`,
    [id, new Date(NOW).toISOString()],
  )
  const activity = createActivity(createSessionStore(app.database), () => later)
  for (const session of sessions) activity.note(session.id)
  await activity.flush()
  const [row] = await app.database.query<{ count: number }>(
    'select count(*)::int as count from keyward_sessions where last_seen_at = $1',
    [new Date(later).toISOString()],
  )
  expect(row?.count).toBe(250)
})
