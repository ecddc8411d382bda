import { expect, test } from 'vitest'
import { countCodePoints, isStorableText } from '../../src/core/text.js'

test.each([
  ['empty text', ''],
  ['an emoji', '😀'],
  ['a noncharacter', '\uFFFF'],
  ['a control character', '\u0001'],
])('%s can be stored', (_, text) => {
  expect(isStorableText(text)).toBe(true)
})

test.each([
  ['U+0000', '\u0000'],
  ['U+0000 inside', 'a\u0000b'],
  ['half a surrogate pair', '\uD83D'],
  ['the other half', 'a\uDE00'],
  ['the halves in the wrong order', '\uDE00\uD83D'],
])('%s cannot be stored', (_, text) => {
  expect(isStorableText(text)).toBe(false)
})

test.each([
  ['', 0],
  ['abc', 3],
  ['é', 1],
  ['e\u0301', 2],
  ['😀😀', 2],
])('%j counts as %d', (text, count) => {
  expect(countCodePoints(text)).toBe(count)
})
