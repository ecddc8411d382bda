import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAttemptKeys } from '../../src/attempts/attempt.js'
import { createPlaceFollower } from '../../src/attempts/follow-places.js'
import { createRecentPlaces } from '../../src/attempts/recent-places.js'
import { createAttemptStore } from '../../src/attempts/sql.js'
import type { Database } from '../../src/db/database.js'
import { migrate } from '../../src/db/migrate.js'
import { NOW, SECRET } from '../support/test-app.js'
import { openTestDatabase } from '../support/test-database.js'

let database: Database
beforeAll(async () => {
  database = await openTestDatabase()
  await migrate(database)
})
afterAll(() => database.close())

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const placeOf = createAttemptKeys(SECRET)
const [home, work, train] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((address) =>
  placeOf('ada@example.com', address),
) as [ReturnType<typeof placeOf>, ReturnType<typeof placeOf>, ReturnType<typeof placeOf>]

test('a node learns of places that are known from before its start, and later through other nodes', async () => {
  const attempts = createAttemptStore(database)
  const places = createRecentPlaces(10)
  let now = NOW
  const follow = createPlaceFollower(attempts, places, () => now)
  const known = (): boolean[] => [home, work, train].map(places.has)

  await attempts.remember(home, new Date(now - 90 * DAY_MS + 1))
  await attempts.remember(work, new Date(now - 90 * DAY_MS))
  await follow()
  expect(known()).toStrictEqual([true, false, false])

  // By a clock that is a minute slow, and seen a minute late.
  await attempts.remember(train, new Date(now - 2 * MINUTE_MS + 1))
  now += MINUTE_MS
  await follow()
  expect(known()).toStrictEqual([true, false, true])
})

test('of more than it can remember it learns the latest', async () => {
  const attempts = createAttemptStore(database)
  const places = createRecentPlaces(2)
  for (const [place, ago] of [
    [home, 1],
    [work, 3],
    [train, 2],
  ] as const) {
    await attempts.remember(place, new Date(NOW + 10 * DAY_MS - ago * MINUTE_MS))
  }
  await createPlaceFollower(attempts, places, () => NOW + 10 * DAY_MS)()
  expect([home, work, train].map(places.has)).toStrictEqual([true, false, true])
})
