import { expect, test } from 'vitest'
import { distinguish, welchT } from '../../bench/timing/statistics.js'

test("Welch's t is that of the textbook", () => {
  // Means 2.5 and 5, variances 5/3 and 20/3, four samples each.
  expect(welchT([1, 2, 3, 4], [2, 4, 6, 8])).toBeCloseTo(-2.5 / Math.sqrt(25 / 12), 12)
  expect(welchT([1, 2, 3], [3, 2, 1])).toBe(0)
})

test('the classifier counts the pairs that are in order, ties by half, in whichever direction is better', () => {
  // Of 16 pairs the first is above in two and alike in two.
  expect(distinguish([1, 2, 3, 4], [2, 4, 6, 8]).auc).toBe(13 / 16)
  expect(distinguish([2, 4, 6, 8], [1, 2, 3, 4]).auc).toBe(13 / 16)
  expect(distinguish([1, 2, 3, 4], [4, 3, 2, 1]).auc).toBe(0.5)
  expect(distinguish([1, 2], [3, 4]).auc).toBe(1)
})

test('a difference in the bulk is found under noise in the tail', () => {
  // Every tenth sample is an outlier that hides the shift by one from all that is not cropped.
  const samples = (shift: number) =>
    Array.from({ length: 1_000 }, (_, index) => (index % 10 === 0 ? index * 100 : (index % 7) + shift))
  expect(Math.abs(welchT(samples(0), samples(1)))).toBeLessThan(1)
  expect(distinguish(samples(0), samples(1)).t).toBeGreaterThan(4.5)
  expect(distinguish(samples(0), samples(0)).t).toBe(0)
})
