import { describe, expect, test } from 'vitest'
import { countCodePoints } from '../../src/core/text.js'
import { readCommonPasswords } from '../../src/passwords/common-passwords.js'
import { createPasswordPolicy } from '../../src/passwords/password-policy.js'

const EMAIL = 'ada.lovelace@example.com'
const commonOfComposition = readCommonPasswords('composition')
const commonOfNist = readCommonPasswords('nist')
const composition = createPasswordPolicy('composition', commonOfComposition)
const nist = createPasswordPolicy('nist', commonOfNist)

const TOO_SHORT = 'must have at least 8 characters'
const TOO_LONG = 'must have at most 128 characters'
const NO_DIGIT = 'must contain at least one digit'
const NO_SPECIAL = 'must contain at least one special character'
const COMMON = 'is one of the most common passwords'
const NAME = 'must not contain the name in your email address'
const UNUSABLE = 'contains characters that cannot be used'

describe('the composition policy', () => {
  test.each([
    ['8 characters with a digit and a special one', 'tr0ub4d&'],
    ['128 characters', `1!${'xk'.repeat(63)}`],
    ['128 characters that each take two UTF-16 units', `1!${'😀'.repeat(126)}`],
    ['a digit of another script', 'пароль٣!'],
    ['an emoji as its special character', 'lovelace1😀'],
    ['spaces around it, which count', ' tr0b4d& '],
    ['a control character', 'tr0ub4d\u0007&'],
    ['72 bytes and more', `1!${'ж'.repeat(60)}`],
  ])('accepts a password with %s', (_, password) => {
    expect(composition(password, EMAIL)).toEqual([])
  })

  test.each([
    ['7 characters', 'tr0b4d&', [TOO_SHORT]],
    ['7 characters in 12 UTF-16 units', '1!😀😀😀😀😀', [TOO_SHORT]],
    ['129 characters', `1!${'xk'.repeat(63)}x`, [TOO_LONG]],
    ['a million characters', `1!${'xk'.repeat(500_000)}`, [TOO_LONG]],
    ['no digit', 'troubador&', [NO_DIGIT]],
    ['a Roman numeral for a digit', 'troubadorⅧ&', [NO_DIGIT]],
    ['no special character', 'tr0ub4d0r', [NO_SPECIAL]],
    ['a space for a special character', 'tr0ub 4d0r', [NO_SPECIAL]],
    ['a no-break space for a special character', 'tr0ub\u00A04d0r', [NO_SPECIAL]],
    ['a letter of another script for a special character', 'tr0ub4d0rж漢', [NO_SPECIAL]],
    ['an accent for a special character', 'tr0ub4d0re\u0301', [NO_SPECIAL]],
    ['U+0000', 'tr0ub4d&\u0000', [UNUSABLE]],
    ['half a surrogate pair', 'tr0ub4d&\uD800', [UNUSABLE]],
    ['nothing', '', [TOO_SHORT, NO_DIGIT, NO_SPECIAL]],
  ])('refuses a password with %s', (_, password, problems) => {
    expect(composition(password, EMAIL)).toEqual(problems)
  })

  test('tells every reason at once', () => {
    expect(composition('LoveAda', 'love@example.com')).toEqual([TOO_SHORT, NO_DIGIT, NO_SPECIAL, NAME])
  })

  test.each(['p@ssw0rd', 'P@SSW0RD', 'P@ssw0rd'])('refuses the common password %s', (password) => {
    expect(composition(password, EMAIL)).toEqual([COMMON])
  })

  test('accepts a common password with more around it', () => {
    expect(composition('p@ssw0rd-and-a-teapot', EMAIL)).toEqual([])
  })
})

describe('the nist policy', () => {
  test.each([
    ['15 letters', 'quiet teapot go'],
    ['15 code points in 30 UTF-16 units', '😀'.repeat(15)],
    ['128 letters', 'xk'.repeat(64)],
  ])('accepts %s, without a digit or a special character', (_, password) => {
    expect(nist(password, EMAIL)).toEqual([])
  })

  test.each([
    ['14 characters', 'quiet teapot g', ['must have at least 15 characters']],
    ['14 code points in 28 UTF-16 units', '😀'.repeat(14), ['must have at least 15 characters']],
    ['129 characters', `${'xk'.repeat(64)}x`, [TOO_LONG]],
    ['a common password', 'passwordpassword', [COMMON]],
    ['a common password in capitals', 'PASSWORDPASSWORD', [COMMON]],
    ['the name of the address', 'my ada.lovelace teapot', [NAME]],
    ['U+0000', `quiet teapot go\u0000`, [UNUSABLE]],
  ])('refuses %s', (_, password, problems) => {
    expect(nist(password, EMAIL)).toEqual(problems)
  })
})

describe('the name in the address', () => {
  test.each([
    ['is refused inside the password', 'x-love7-x', 'love@example.com', [NAME]],
    ['is refused in another letter case', 'x-LoVe7-x', 'love@example.com', [NAME]],
    ['is refused in another script and case', 'x-ПАРОЛЬ7-x', 'пароль@example.com', [NAME]],
    ['may stand in the password when it has 3 characters', 'x-ada7-xyz', 'ada@example.com', []],
    ['is counted in code points', 'x-é😀😀7-xyz', 'é😀😀@example.com', []],
    ['is not looked for in parts', 'x-lovelace7-x', 'ada.lovelace@example.com', []],
    ['does not include the domain', 'example.com-7', 'love@example.com', []],
  ])('%s', (_, password, email, problems) => {
    expect(composition(password, email)).toEqual(problems)
  })
})

describe('a banned word', () => {
  const withWords = createPasswordPolicy('composition', new Set(), ['keyward', 'rocket skates', 'straße'])

  test.each([
    ['is refused inside the password', '1!keyward!', ['must not contain "keyward"']],
    ['is refused in another letter case', '1!KeyWard!', ['must not contain "keyward"']],
    ['may be several words', 'my Rocket Skates 7!', ['must not contain "rocket skates"']],
    ['may hold any letters', '1!STRAßE-7', ['must not contain "straße"']],
    [
      'is told with the other reasons',
      'keyward',
      [TOO_SHORT, NO_DIGIT, NO_SPECIAL, 'must not contain "keyward"'],
    ],
    ['may stand there in part', '1!keywar-d', []],
  ])('%s', (_, password, problems) => {
    expect(withWords(password, EMAIL)).toEqual(problems)
  })
})

describe('the lists of common passwords', () => {
  const withoutLists = createPasswordPolicy('composition', new Set())

  test('have at least 3,000 entries for each policy', () => {
    expect(commonOfComposition.size).toBeGreaterThanOrEqual(3000)
    expect(commonOfNist.size).toBeGreaterThanOrEqual(3000)
  })

  test('hold for composition only what its other rules would let through', () => {
    const idle = [...commonOfComposition].filter((password) => withoutLists(password, '').length > 0)
    expect(idle).toEqual([])
  })

  test('hold for nist only what is long enough', () => {
    expect([...commonOfNist].filter((password) => countCodePoints(password) < 15)).toEqual([])
  })

  test.each([
    ['composition', commonOfComposition, composition],
    ['nist', commonOfNist, nist],
  ])('refuse every entry of %s, in lower and upper case', (_, common, policy) => {
    const missed = [...common].filter(
      (password) =>
        !policy(password, EMAIL).includes(COMMON) || !policy(password.toUpperCase(), EMAIL).includes(COMMON),
    )
    expect(missed).toEqual([])
  })
})
