import { describe, expect, test } from 'vitest'
import type { AsymmetricAlgorithm } from '../../src/core/signing-key.js'
import { planRetirement, type StoredKey, stateOf, verifiesUntil } from '../../src/keys/stored-key.js'

const NOW = Date.UTC(2026, 10, 22)
const HOUR = 3_600_000
const HOUR_SECONDS = 3_600

/** A key whose turn begins so many hours from now. */
const key = (kid: string, hours: number, algorithm: AsymmetricAlgorithm = 'EdDSA'): StoredKey => ({
  kid,
  algorithm,
  sealed: Buffer.alloc(0),
  createdAt: NOW + hours * HOUR,
  signsFrom: NOW + hours * HOUR,
  longestTokenSeconds: HOUR_SECONDS,
})

const [OLD, CURRENT, NEXT] = [key('old', -5), key('current', -2), key('next', 0.1)]
const states = (...keys: StoredKey[]) => keys.map((each) => stateOf(each, keys, NOW))

describe('a key verifies', () => {
  test('for ever while nothing replaces it', () => {
    expect(verifiesUntil(CURRENT, [CURRENT])).toBe(Number.POSITIVE_INFINITY)
    expect(verifiesUntil(CURRENT, [OLD, CURRENT, key('other', 1, 'ES256')])).toBe(Number.POSITIVE_INFINITY)
  })

  test('until its last token has expired, and five minutes more', () => {
    const end = NEXT.signsFrom + HOUR + 300_000
    expect(verifiesUntil(CURRENT, [OLD, CURRENT, NEXT, key('later', 9)])).toBe(end)
  })

  test('until an end even beside another that began at the same moment', () => {
    const twin = { ...CURRENT, kid: 'twin' }
    const ends = [CURRENT, twin].map((each) => verifiesUntil(each, [CURRENT, twin]))
    expect(ends.filter(Number.isFinite)).toHaveLength(1)
  })
})

test('of each algorithm one key signs', () => {
  expect(states(OLD, CURRENT, NEXT)).toEqual(['expired', 'signs', 'waits'])
  expect(states(CURRENT, key('newer', -0.5))).toEqual(['verifies', 'signs'])
  expect(states(CURRENT, key('other', -0.1, 'ES256'))).toEqual(['signs', 'signs'])
  expect(states(NEXT)).toEqual(['signs'])
})

describe('a key can be retired', () => {
  const plan = (kid: string, ...keys: StoredKey[]) => planRetirement(keys, kid, NOW)

  test('when it does not sign any more, or not yet', () => {
    expect(plan('old', OLD, CURRENT)).toEqual({ promoted: null })
    expect(plan('next', CURRENT, NEXT)).toEqual({ promoted: null })
  })

  test('when it signs and another waits, which then signs at once', () => {
    expect(plan('current', OLD, CURRENT, NEXT)).toEqual({ promoted: 'next' })
    expect(plan('next', NEXT, key('later', 2))).toEqual({ promoted: 'later' })
  })

  test('when it signs and a key of another algorithm was made after it', () => {
    expect(plan('current', CURRENT, key('other', 0, 'ES256'))).toEqual({ promoted: null })
    expect(plan('current', CURRENT, key('other', -9, 'ES256'))).toBe('irreplaceable')
  })

  test('but not when only an older one could sign instead', () => {
    expect(plan('current', OLD, CURRENT)).toBe('irreplaceable')
    expect(plan('current', CURRENT)).toBe('irreplaceable')
    expect(plan('next', NEXT)).toBe('irreplaceable')
  })

  test('and not when there is none of that name', () => {
    expect(plan('stranger', OLD, CURRENT, NEXT)).toBe('unknown')
    expect(plan('__proto__', CURRENT)).toBe('unknown')
  })
})
