import { expect, test } from 'vitest'
import { parseDisplayName } from '../../src/core/display-name.js'

test.each([
  ['is trimmed', '  Ada Lovelace\t\n', 'Ada Lovelace'],
  ['keeps its letter case', 'ADA de la Cruz', 'ADA de la Cruz'],
  ['is composed', 'Jose\u0301', 'Jos\u00e9'],
  ['may be one letter', '李', '李'],
  ['may be one emoji of several code points', '👩‍💻', '👩‍💻'],
  ['may hold a zero-width joiner inside', 'क्\u200dष', 'क्\u200dष'],
  ['may hold an apostrophe', "Anne-Marie O'Neill", "Anne-Marie O'Neill"],
  ['keeps markup as text', '<b>Ada</b>', '<b>Ada</b>'],
  ['may have 200 code points', '😀'.repeat(200), '😀'.repeat(200)],
  ['is counted once trimmed', ` ${'a'.repeat(200)} `, 'a'.repeat(200)],
])('a name %s', (_, input, name) => {
  expect(parseDisplayName(input)).toEqual({ name })
})

test.each([
  ['nothing', '', 'must not be empty'],
  ['white space', ' \t\n\u00A0\u3000', 'must not be empty'],
  ['invisible characters', '\u200B\u2060\u00AD', 'must not be empty'],
  ['a tab inside', 'Ada\tLovelace', 'must not contain control characters'],
  ['a line break inside', 'Ada\nLovelace', 'must not contain control characters'],
  ['a terminal escape', 'Ada\u001b[31m', 'must not contain control characters'],
  ['a C1 control', 'Ada\u0085Lovelace', 'must not contain control characters'],
  ['201 code points', 'a'.repeat(201), 'must have at most 200 characters'],
  ['a million characters', 'a'.repeat(1_000_000), 'must have at most 200 characters'],
  ['U+0000', 'Ada\u0000', 'contains characters that cannot be stored'],
  ['half a surrogate pair', 'Ada\uDC00', 'contains characters that cannot be stored'],
])('a name of %s is refused, and why is told', (_, input, problem) => {
  expect(parseDisplayName(input)).toEqual({ problem })
})
