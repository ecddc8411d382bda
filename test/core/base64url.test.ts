import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeCanonicalBase64url } from '../../src/core/base64url.js'

const SEED = 20_261_122

test(`gives back the bytes that were encoded (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), (bytes) => {
      const encoded = Buffer.from(bytes).toString('base64url')
      expect(decodeCanonicalBase64url(encoded)).toEqual(Buffer.from(bytes))
    }),
    { seed: SEED },
  )
})

test(`accepts no text but the one that its bytes encode to (seed ${SEED})`, () => {
  const character = fc.constantFrom(...Array.from('ABQgwz019-_=+/ \n.é'))
  const text = fc.array(character, { maxLength: 8 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(text, (segment) => {
      const isCanonical =
        segment !== '' && Buffer.from(segment, 'base64url').toString('base64url') === segment
      expect(decodeCanonicalBase64url(segment) !== null).toBe(isCanonical)
    }),
    { seed: SEED, numRuns: 2000 },
  )
})

test.each([
  ['nothing', ''],
  ['one character, which holds no byte', 'A'],
  ['an impossible length', 'AAAAA'],
  ['padding', 'AA=='],
  ['unused bits that are not zero', 'AB'],
  ['the standard alphabet', 'AA+/'],
  ['white space', 'AA AA'],
  ['a line break behind', 'AAAA\n'],
])('refuses %s', (_, segment) => {
  expect(decodeCanonicalBase64url(segment)).toBeNull()
})
