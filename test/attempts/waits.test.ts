import { expect, test } from 'vitest'
import { FAILURE_LIMITS, waitsOf } from '../../src/attempts/limits.js'

const DAY = 86_400

test('one client at one account waits after the fifth failure, twice as long each time, 15 minutes at most', () => {
  expect(waitsOf(FAILURE_LIMITS.pair).slice(0, 12)).toEqual([
    0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900,
  ])
})

test('strangers at one account wait after the tenth, an hour at most', () => {
  expect(waitsOf(FAILURE_LIMITS.account).slice(8, 19)).toEqual([
    0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600,
  ])
})

test('after a hundred failures everybody waits a day, and before that nobody does', () => {
  for (const limit of Object.values(FAILURE_LIMITS)) {
    const waits = waitsOf(limit)
    expect(waits).toHaveLength(100)
    expect(waits.at(-1)).toBe(DAY)
    expect(Math.max(...waits.slice(0, -1))).toBeLessThan(DAY)
  }
})
