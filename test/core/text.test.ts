import { expect, test } from 'vitest'
import {
  countCodePoints,
  escapeControls,
  escapeControlsInLines,
  isStorableText,
} from '../../src/core/text.js'

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

test.each([
  ['a line break', '\r\n', '\\u000d\\u000a'],
  ['a terminal escape', '\u001B[31m', '\\u001b[31m'],
  ['a C1 control', '\u009B31m', '\\u009b31m'],
  ['a separator of lines', 'a\u2028b', 'a\\u2028b'],
  ['a separator of paragraphs', 'a\u2029b', 'a\\u2029b'],
  ['a bidirectional control', '\u202Eexe.txt', '\\u202eexe.txt'],
  ['half a surrogate pair', '\uD800', '\\ud800'],
  ['U+0000 and DEL', '\u0000\u007F', '\\u0000\\u007f'],
])('%s is shown by its number', (_, text, shown) => {
  expect(escapeControls(text)).toBe(shown)
  expect(escapeControlsInLines(`a\n${text.replaceAll('\n', '')}`)).toBe(
    `a\n${shown.replaceAll('\\u000a', '')}`,
  )
})

test.each(['', 'Ada Lovelace', 'Zoë 😀 👩‍👩‍👧', 'قاعدة', '\\u0041', '"'])('%j is shown as it is', (text) => {
  expect(escapeControls(text)).toBe(text)
})
