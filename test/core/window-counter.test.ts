import { expect, test } from 'vitest'
import { createWindowCounter } from '../../src/core/window-counter.js'

test('each client counts for itself, and anew in each window', () => {
  const count = createWindowCounter(10)
  expect([count('one', 1), count('one', 1), count('other', 1), count('one', 1)]).toEqual([1, 2, 1, 3])
  expect([count('one', 2), count('other', 2), count('one', 2)]).toEqual([1, 1, 2])
})

test('with more clients than it may remember, those remembered still count and the others are let through', () => {
  const count = createWindowCounter(100_000)
  for (let client = 0; client < 100_000; client++) count(`client ${client}`, 1)
  expect([count('late', 1), count('late', 1), count('late', 1)]).toEqual([1, 1, 1])
  expect([count('client 0', 1), count('client 99999', 1), count('client 0', 1)]).toEqual([2, 2, 3])
  expect([count('late', 2), count('late', 2)]).toEqual([1, 2])
})
