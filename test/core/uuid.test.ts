import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatUuid, isUuid, readUuid, readUuidBytes } from '../../src/core/uuid.js'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

const character = fc.oneof(
  fc.constantFrom(...'0123456789abcdefABCDEFgG-_ /:@`'.split('')),
  // Some of these have the low byte of a digit, or look like one.
  fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
)
/** A UUID with a few characters changed, cut out or put in; often none. */
const nearlyUuid = fc
  .tuple(
    fc.uuid(),
    fc.array(fc.tuple(fc.nat(36), fc.nat(1), fc.oneof(character, fc.constant(''))), { maxLength: 2 }),
  )
  .map(([uuid, edits]) =>
    edits.reduce((text, [at, taken, put]) => text.slice(0, at) + put + text.slice(at + taken), uuid),
  )

test('takes for a UUID what has its form, in both letter cases, and nothing else', () => {
  const outcomes = new Set<boolean>()
  fc.assert(
    fc.property(nearlyUuid, fc.boolean(), (text, isUpper) => {
      const candidate = isUpper ? text.toUpperCase() : text
      outcomes.add(isUuid(candidate))
      expect(isUuid(candidate)).toBe(UUID.test(candidate))
    }),
    { numRuns: 5_000 },
  )
  expect(outcomes.size).toBe(2)
})

test('takes nothing but text', () => {
  const uuid = '6f1c1d0e-3c1f-4b6e-9a54-0d6a3f1f2b77'
  for (const value of [undefined, null, 7, {}, [uuid], { length: 36 }, Object(uuid)]) {
    expect(isUuid(value)).toBe(false)
  }
})

test('reads the same from text and from bytes, and writes it as it was', () => {
  const [fromText, fromBytes] = [new Uint32Array(4), new Uint32Array(4)]
  for (const uuid of Array.from({ length: 50 }, () => randomUUID())) {
    expect(readUuid(uuid.toUpperCase(), fromText)).toBe(true)
    expect(readUuidBytes(Buffer.from(uuid.replaceAll('-', ''), 'hex'), fromBytes)).toBe(true)
    expect(fromBytes).toEqual(fromText)
    expect(formatUuid(fromText)).toBe(uuid)
  }
})
