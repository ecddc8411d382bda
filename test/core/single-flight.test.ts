import { expect, test } from 'vitest'
import { createSingleFlight } from '../../src/core/single-flight.js'

test('who asks meanwhile gets the same answer, who asks later the next one', async () => {
  let asked = 0
  const ask = createSingleFlight(async () => {
    const answer = ++asked
    await Promise.resolve()
    return answer
  })
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([1, 1, 1])
  expect(await ask()).toBe(2)
})

test('a failure reaches all who wait for it, and nobody else', async () => {
  let isBroken = true
  const ask = createSingleFlight(async () => {
    if (isBroken) throw new Error('broken')
    return 'well'
  })
  const outcomes = await Promise.allSettled([ask(), ask()])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  isBroken = false
  expect(await ask()).toBe('well')
})
