import { isUtf8 } from 'node:buffer'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { replyWithProblems } from '../../src/http/error-reply.js'
import { acceptJsonOnly } from '../../src/http/json-body.js'
import { createLog } from '../../src/log.js'

const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'a', '', 'é', '__proto_', '\u2028']
const NUMBERS = [
  '0',
  '-0',
  '1e400',
  '-1e400',
  '9007199254740993',
  '1e-400',
  '0.1',
  '01',
  '+1',
  '.5',
  'NaN',
  '1'.repeat(400),
]

/** Any letter of a text may be written by its number. */
const quoted = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(text, fc.nat(), fc.boolean()).map(([content, mask, upper]) => {
    const letters = Array.from(JSON.stringify(content).slice(1, -1))
    const isPlain = (letter: string): boolean => /[\w]/.test(letter) && !letters.includes('\\')
    const escape = (letter: string): string => {
      const number = letter.charCodeAt(0).toString(16).padStart(4, '0')
      return `\\u${upper ? number.toUpperCase() : number}`
    }
    return `"${letters.map((each, i) => (isPlain(each) && (mask >> i) & 1 ? escape(each) : each)).join('')}"`
  })

const { json } = fc.letrec<{ json: string; list: string; object: string }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('null', 'true', '1', ...NUMBERS),
    quoted(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...NAMES))),
    tie('list'),
    { weight: 3, arbitrary: tie('object') },
  ),
  list: fc.array(tie('json'), { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
  // Names may come twice.
  object: fc
    .array(fc.tuple(quoted(fc.constantFrom(...NAMES)), fc.constantFrom('', ' ', '\n\t'), tie('json')), {
      maxLength: 4,
    })
    .map((members) => `{${members.map(([name, blank, value]) => `${name}${blank}:${value}`).join(',')}}`),
}))

const nested = fc
  .tuple(json, fc.nat(300), fc.boolean())
  .map(([text, depth, closes]) => '['.repeat(depth) + text + (closes ? ']'.repeat(depth) : ''))
const anyText = fc.oneof(
  { weight: 4, arbitrary: json },
  { weight: 1, arbitrary: nested },
  fc.string({ unit: 'binary' }),
)
const ODD_BYTES = [
  [],
  [],
  [],
  [0xef, 0xbb, 0xbf],
  [0xff],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
  [0],
  [0x20],
  [0x2c],
  [0xe2, 0x82],
]
const bytes = fc
  .tuple(anyText, fc.constantFrom(...ODD_BYTES), fc.oneof(fc.constant(0), fc.nat(400)))
  .map(([text, odd, at]) => {
    const whole = Buffer.from(text)
    return Buffer.concat([whole.subarray(0, at), Buffer.from(odd), whole.subarray(at)])
  })

/** `{"__proto__": …}` and `{"constructor": {"prototype": …}}`, at any depth. */
function reachesForPrototype(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (Object.hasOwn(value, '__proto__')) return true
  const { constructor } = value
  const isObject =
    Object.hasOwn(value, 'constructor') && typeof constructor === 'object' && constructor !== null
  if (isObject && Object.hasOwn(constructor, 'prototype')) return true
  return Object.values(value).some(reachesForPrototype)
}

/** What the platform's own parser makes of it; null for what is to be refused. */
function oracle(body: Buffer): { value: unknown } | null {
  if (body.length === 0) return { value: undefined }
  if (!isUtf8(body)) return null
  try {
    // A byte order mark may be ignored (RFC 8259 §8.1).
    const value: unknown = JSON.parse(body.toString().replace(/^\ufeff/, ''))
    return reachesForPrototype(value) ? null : { value }
  } catch {
    return null
  }
}

test('a body is read as JSON.parse reads it, or refused: no other bytes, no way to a prototype', async () => {
  const app = Fastify({ bodyLimit: 1_000_000 })
  replyWithProblems(app, { log: createLog('silent'), onRequestRefused: () => {} })
  acceptJsonOnly(app)
  let read: { value: unknown } | null = null
  app.post('/', async (request) => {
    read = { value: request.body }
    return {}
  })
  const outcomes = { read: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(bytes, async (payload) => {
      read = null
      const headers = { 'content-type': 'application/json' }
      const reply = await app.inject({ method: 'POST', url: '/', headers, payload })
      const expected = oracle(payload)
      outcomes[expected ? 'read' : 'refused']++
      expect(reply.statusCode === 200 ? 'read' : reply.json().code).toBe(expected ? 'read' : 'malformed_json')
      expect(isDeepStrictEqual(read, expected)).toBe(true)
      expect(Object.keys(Object.prototype)).toStrictEqual([])
    }),
    { numRuns: 2_000 },
  )
  expect(Math.min(outcomes.read, outcomes.refused)).toBeGreaterThan(200)
  await app.close()
})
