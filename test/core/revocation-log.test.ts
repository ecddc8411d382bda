import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRevocationLog, type Revocation } from '../../src/core/revocation-log.js'

/** Few ids that meet in the index, since their first words end alike; the words differ in one bit only. */
const IDS = [
  '0000000a-0000-0000-0000-000000000000',
  '0000000a-0000-0000-0000-000000000001',
  '0000000a-0000-0000-0000-000100000000',
  '0000000a-0001-0000-0000-000000000000',
  '8000000a-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  'fffffffe-ffff-ffff-ffff-ffffffffffff',
  '00000000-0000-0000-0000-000000000000',
  '80000000-8000-8000-8000-800000000000',
]

type Command =
  | { readonly name: 'append'; readonly gap: number; readonly id: string; readonly expiresAt: number }
  | { readonly name: 'after'; readonly seq: number; readonly limit: number }
  | { readonly name: 'dropExpired'; readonly before: number }
  | { readonly name: 'clear' }

const time = fc.integer({ min: 0, max: 20 })
const append = fc.record({
  name: fc.constant('append' as const),
  gap: fc.integer({ min: 1, max: 3 }),
  id: fc.constantFrom(...IDS),
  expiresAt: time,
})
const command: fc.Arbitrary<Command> = fc.oneof(
  { arbitrary: append, weight: 6 },
  {
    arbitrary: fc.record({ name: fc.constant('after' as const), seq: fc.nat(60), limit: fc.nat(10) }),
    weight: 2,
  },
  { arbitrary: fc.record({ name: fc.constant('dropExpired' as const), before: time }), weight: 1 },
  { arbitrary: fc.constant({ name: 'clear' as const }), weight: 1 },
)

test('behaves like a plain list of rows, whatever is done to it in whatever order', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
      const log = createRevocationLog()
      let rows: Revocation[] = []
      let lastSeq = 0
      for (const step of commands) {
        switch (step.name) {
          case 'append':
            lastSeq += step.gap
            log.append(lastSeq, step.id, step.expiresAt)
            rows.push({ seq: lastSeq, sessionId: step.id, expiresAt: step.expiresAt })
            break
          case 'after':
            expect(log.after(step.seq, step.limit)).toEqual(
              rows.filter(({ seq }) => seq > step.seq).slice(0, step.limit),
            )
            break
          case 'dropExpired':
            log.dropExpired(step.before)
            rows = rows.filter(({ expiresAt }) => expiresAt >= step.before)
            break
          case 'clear':
            log.clear()
            rows = []
            lastSeq = 0
        }
        expect(log.lastSeq).toBe(lastSeq)
        expect(log.size).toBe(rows.length)
        for (const id of IDS) expect(log.has(id)).toBe(rows.some(({ sessionId }) => sessionId === id))
      }
    }),
    { numRuns: 500 },
  )
})

test('finds every one of 50,000 ended sessions, and no other', () => {
  const log = createRevocationLog()
  const ended = Array.from({ length: 50_000 }, () => randomUUID())
  ended.forEach((id, index) => log.append(index + 1, id, index))
  expect(log.size).toBe(50_000)
  expect(ended.every((id) => log.has(id))).toBe(true)
  expect(Array.from({ length: 50_000 }, () => randomUUID()).some((id) => log.has(id))).toBe(false)
  expect(log.after(0, 60_000).map(({ sessionId }) => sessionId)).toEqual(ended)
})

test('keeps what has not expired when most of a large log has', () => {
  const log = createRevocationLog()
  const ended = Array.from({ length: 20_000 }, () => randomUUID())
  ended.forEach((id, index) => log.append(index + 1, id, index))
  log.dropExpired(19_990)
  expect(log.size).toBe(10)
  expect(ended.filter((id) => log.has(id))).toEqual(ended.slice(-10))
  expect(log.after(0, 100).map(({ seq }) => seq)).toEqual([
    19_991, 19_992, 19_993, 19_994, 19_995, 19_996, 19_997, 19_998, 19_999, 20_000,
  ])
  // Also in its new, smaller place.
  for (const [index, id] of ended.slice(0, 3_000).entries()) log.append(20_001 + index, id, 20_000)
  expect(ended.slice(0, 3_000).every((id) => log.has(id))).toBe(true)
  expect(ended.slice(3_000, 19_990).some((id) => log.has(id))).toBe(false)
})

test('keeps what has not expired when little of a large log has', () => {
  const log = createRevocationLog()
  const ended = Array.from({ length: 3_000 }, () => randomUUID())
  ended.forEach((id, index) => log.append(index + 1, id, index))
  log.dropExpired(500)
  expect(log.size).toBe(2_500)
  expect(ended.filter((id) => log.has(id))).toEqual(ended.slice(500))
  expect(log.after(0, 3_000).map(({ sessionId }) => sessionId)).toEqual(ended.slice(500))
})

test('an id may be given as its bytes', () => {
  const log = createRevocationLog()
  log.append(1, Buffer.from('0123456789abcdef0123456789abcdef', 'hex'), 1)
  expect(log.has('01234567-89ab-cdef-0123-456789abcdef')).toBe(true)
  expect(() => log.append(2, Buffer.alloc(15), 1)).toThrow('must be a UUID')
})

test('an id means the same session in upper and in lower case', () => {
  const log = createRevocationLog()
  log.append(1, 'ABCDEF01-2345-6789-ABCD-EF0123456789', 1)
  log.append(2, 'fedcba98-7654-3210-fedc-ba9876543210', 1)
  expect(log.has('abcdef01-2345-6789-abcd-ef0123456789')).toBe(true)
  expect(log.has('FEDCBA98-7654-3210-FEDC-BA9876543210')).toBe(true)
  expect(log.after(0, 1)[0]?.sessionId).toBe('abcdef01-2345-6789-abcd-ef0123456789')
})

test.each([
  '',
  'no id at all',
  'abcdef01-2345-6789-abcd-ef012345678',
  'abcdef01-2345-6789-abcd-ef01234567890',
  'abcdef01-2345-6789-abcd-ef012345678g',
  'abcdef01-2345-6789-abcd-ef012345678é',
  'abcdef01-2345-6789-abcd-ef012345678\ud83d',
  'abcdef0-12345-6789-abcd-ef0123456789',
])('%j is never an ended session and cannot be appended', (text) => {
  const log = createRevocationLog()
  log.append(1, 'abcdef01-2345-6789-abcd-ef0123456789', 1)
  expect(log.has(text)).toBe(false)
  expect(() => log.append(2, text, 1)).toThrow(new TypeError('A session id must be a UUID'))
  expect(log.lastSeq).toBe(1)
})

test('refuses a row that is out of order, because a reader could have passed it already', () => {
  const log = createRevocationLog()
  log.append(5, IDS[0] as string, 1)
  for (const seq of [5, 4, 0, -1]) {
    expect(() => log.append(seq, IDS[1] as string, 1)).toThrow(/must be appended in order/)
  }
  expect(log.has(IDS[1] as string)).toBe(false)
  log.append(6, IDS[1] as string, 1)
  expect(log.has(IDS[1] as string)).toBe(true)
})

test('dropping rows does not make earlier numbers good again', () => {
  const log = createRevocationLog()
  log.append(7, IDS[0] as string, 1)
  log.dropExpired(2)
  expect(log.size).toBe(0)
  expect(log.lastSeq).toBe(7)
  expect(() => log.append(7, IDS[1] as string, 9)).toThrow(RangeError)
})
