import { expect, test } from 'vitest'
import { createRevocationCheck, type StalenessRule } from '../../src/core/revocation-check.js'
import { createRevocationLog } from '../../src/core/revocation-log.js'

const ENDED = '6f1c1d0e-3c1f-4b6e-9a54-0d6a3f1f2b77'
const OTHER = '0d6a3f1f-3c1f-4b6e-9a54-6f1c1d0e2b77'

function checkAt(ageMs: number, whenStale: StalenessRule['whenStale'], maxAgeMs = 10_000) {
  const log = createRevocationLog()
  log.append(1, ENDED, 1)
  return createRevocationCheck(log, () => ageMs, { maxAgeMs, whenStale })
}

test('with fresh news, only the ended session is ended', () => {
  for (const whenStale of ['refuse', 'accept'] as const) {
    const check = checkAt(0, whenStale)
    expect(check(ENDED)).toBe('ended')
    expect(check(ENDED.toUpperCase())).toBe('ended')
    expect(check(OTHER)).toBe('live')
  }
})

test('news count as fresh up to the limit and not beyond', () => {
  expect(checkAt(10_000, 'refuse')(OTHER)).toBe('live')
  expect(checkAt(10_001, 'refuse')(OTHER)).toBe('stale')
  expect(checkAt(Number.POSITIVE_INFINITY, 'refuse')(OTHER)).toBe('stale')
})

test('an age or a limit that is no number, or a rule that is none, lets nobody in', () => {
  expect(checkAt(Number.NaN, 'refuse')(OTHER)).toBe('stale')
  expect(checkAt(0, 'refuse', Number.NaN)(OTHER)).toBe('stale')
  // As it might come from a configuration, past the type checker.
  expect(checkAt(10_001, 'Refuse' as 'refuse')(OTHER)).toBe('stale')
})

test('a node that accepts tokens without news does so for sessions not known to have ended', () => {
  expect(checkAt(Number.POSITIVE_INFINITY, 'accept')(OTHER)).toBe('live')
})

test('an end that is known stays known, however old the news', () => {
  for (const whenStale of ['refuse', 'accept'] as const) {
    expect(checkAt(Number.POSITIVE_INFINITY, whenStale)(ENDED)).toBe('ended')
  }
})
