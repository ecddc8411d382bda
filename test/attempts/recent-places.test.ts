import { expect, test } from 'vitest'
import { createAttemptKeys } from '../../src/attempts/attempt.js'
import { createRecentPlaces } from '../../src/attempts/recent-places.js'
import { SECRET } from '../support/test-app.js'

const keysOf = createAttemptKeys(SECRET)
const home = keysOf('ada@example.com', '192.0.2.1')
const work = keysOf('ada@example.com', '192.0.2.2')
const neighbour = keysOf('bob@example.com', '192.0.2.1')

test('a place is one client at one account', () => {
  const places = createRecentPlaces(10)
  places.note(home)
  expect([home, work, neighbour].map(places.has)).toEqual([true, false, false])
})

test('of too many, the one that was noted longest ago is forgotten', () => {
  const places = createRecentPlaces(2)
  for (const place of [home, work, home, neighbour]) places.note(place)
  expect([home, work, neighbour].map(places.has)).toEqual([true, false, true])
})
