import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { localPartOf, parseEmail } from '../../src/core/email.js'

const addressOf = (input: string): string | undefined => parseEmail(input)?.address

describe('spellings of one address', () => {
  test.each([
    ['in another letter case', 'ADA@Example.COM'],
    ['with white space around it', ' \t\r\n ada@example.com \n'],
    ['with a full-width ideographic space around it', '\u3000ada@example.com\u3000'],
  ])('an address %s is the same account', (_, spelling) => {
    expect(addressOf(spelling)).toBe('ada@example.com')
  })

  test('a letter and its accent count as the accented letter', () => {
    expect(addressOf('jose\u0301@example.com')).toBe('jos\u00e9@example.com')
    expect(addressOf('İ\u0327@example.com')).toBe(addressOf('i\u0327\u0307@example.com'))
  })

  test('dots and tags in the local part make different accounts', () => {
    expect(addressOf('ada.lovelace+news@example.com')).toBe('ada.lovelace+news@example.com')
  })

  test('an address with a plain domain is looked up under its own spelling alone', () => {
    expect(parseEmail('Ada@Example.com')?.lookupKeys).toEqual(['ada@example.com'])
  })

  test('a capital beyond ASCII is also looked up as it was typed, because the database folds ASCII alone', () => {
    expect(parseEmail('ÜNAL@Example.com')).toEqual({
      address: 'ünal@example.com',
      lookupKeys: ['ünal@example.com', 'Ünal@example.com'],
    })
  })

  test.each([
    'ada@bücher.example',
    'ada@BÜCHER.example',
    'ada@bu\u0308cher.example',
    'ada@xn--bcher-kva.example',
    'ada@XN--BCHER-KVA.EXAMPLE',
    'ada@bücher\u3002example',
  ])('the international domain of %s is stored as ASCII and looked up in both forms', (spelling) => {
    expect(parseEmail(spelling)).toEqual({
      address: 'ada@xn--bcher-kva.example',
      lookupKeys: ['ada@xn--bcher-kva.example', 'ada@bücher.example'],
    })
  })

  test('a domain may end in a label that begins with a digit, as long as it is no number', () => {
    expect(addressOf('ada@example.4u')).toBe('ada@example.4u')
    expect(addressOf('ada@example.42')).toBeUndefined()
  })

  test('letters of any script may stand in the local part', () => {
    expect(addressOf('Пароль@пример.example')).toBe('пароль@xn--e1afmkfd.example')
    expect(addressOf('用户@例え.テスト')).toBe('用户@xn--r8jz45g.xn--zckzah')
  })
})

describe('lengths', () => {
  const label = 'd'.repeat(63)
  const longDomain = `${label}.${label}.${'d'.repeat(57)}.com`

  test.each([
    ['a local part of 64 octets', `${'a'.repeat(64)}@example.com`],
    ['a local part of 32 two-octet letters', `${'é'.repeat(32)}@example.com`],
    ['a label of 63 octets', `a@${label}.com`],
    ['254 octets in all', `${'a'.repeat(64)}@${longDomain}`],
  ])('accepts an address with %s', (_, address) => {
    expect(addressOf(address)).toBe(address)
  })

  test.each([
    ['a local part of 65 octets', `${'a'.repeat(65)}@example.com`],
    ['a local part of 33 two-octet letters', `${'é'.repeat(33)}@example.com`],
    ['a label of 64 octets', `a@${'d'.repeat(64)}.com`],
    ['a label whose ASCII form has more than 63 octets', `a@${'ü'.repeat(60)}.com`],
    ['255 octets in all', `${'a'.repeat(64)}@d${longDomain}`],
    ['100,000 characters', `${'a'.repeat(100_000)}@example.com`],
    ['100,000 labels', `a@${'a.'.repeat(100_000)}com`],
    ['100,000 signs', '@'.repeat(100_000)],
    ['100,000 spaces in front', `${' '.repeat(100_000)}a@example.com`],
  ])('refuses an address with %s', (_, address) => {
    expect(parseEmail(address)).toBeNull()
  })
})

test.each([
  ['nothing', ''],
  ['no sign', 'ada.example.com'],
  ['no local part', '@example.com'],
  ['no domain', 'ada@'],
  ['two signs', 'ada@lovelace@example.com'],
  ['a domain without a dot', 'ada@localhost'],
  ['a dot at the end of the domain', 'ada@example.com.'],
  ['a hyphen at the end of a label', 'ada@example-.com'],
  ['an IPv4 address', 'ada@127.0.0.1'],
  ['an IPv4 address in hexadecimal', 'ada@0x7f.1'],
  ['an IPv4 address with a hexadecimal end', 'ada@127.0.0.0x1'],
  ['an IPv4 address as one number', 'ada@2130706433'],
  ['an IPv4 address in brackets', 'ada@[127.0.0.1]'],
  ['an IPv6 address', 'ada@[::1]'],
  ['a percent-encoded domain', 'ada@ex%61mple.com'],
  ['a percent-encoded dot', 'ada@example%2ecom'],
  ['a full-width dot', 'ada@example\uFF0Ecom'],
  ['a path', 'ada@example.com/x'],
  ['a port', 'ada@example.com:25'],
  ['a soft hyphen in the domain', 'ada@exam\u00ADple.com'],
  ['a zero-width space', 'ada\u200B@example.com'],
  ['a right-to-left override', 'ada\u202E@example.com'],
  ['malformed Punycode', 'ada@xn--a.com'],
  ['a line break and a header', 'ada@example.com\r\nBcc: eve@example.com'],
  ['a line feed inside', 'ada\n@example.com'],
  ['a space inside', 'a da@example.com'],
  ['U+0000', 'ada\u0000@example.com'],
  ['U+0000 behind', 'ada@example.com\u0000'],
  ['half a surrogate pair', 'ada\uD800@example.com'],
  ['a display name', 'Ada <ada@example.com>'],
  ['a list', 'ada@example.com,eve@example.com'],
  ['a quoted local part', '"ada"@example.com'],
  ['two dots in a row', 'ada..lovelace@example.com'],
])('refuses an address with %s', (_, address) => {
  expect(parseEmail(address)).toBeNull()
})

test('the local part is everything before the last sign', () => {
  expect(localPartOf('ada.lovelace@example.com')).toBe('ada.lovelace')
})

describe('a stored address', () => {
  const expectFixedPoint = (input: string): void => {
    const email = parseEmail(input)
    if (email === null) return
    expect(parseEmail(email.address)?.address, input).toBe(email.address)
    for (const key of email.lookupKeys) expect(parseEmail(key)?.address, key).toBe(email.address)
  }

  test('is read back as itself, with any letter that has a case, or any accent, in the local part', () => {
    let accepted = 0
    for (let point = 1; point <= 0x1ffff; point++) {
      const character = String.fromCodePoint(point)
      if (!/[\p{Cased}\p{M}]/u.test(character)) continue
      const email = parseEmail(`${character}\u0327@example.com`)
      if (email === null) continue
      accepted++
      if (parseEmail(email.address)?.address !== email.address) expect.fail(`U+${point.toString(16)}`)
    }
    expect(accepted).toBeGreaterThan(4_000)
  })

  const SEED = 20_261_122
  test(`is read back as itself, under each of its keys (seed ${SEED})`, () => {
    const character = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...Array.from('abzAZ019.-_+ÜßſΣσςİıéñЖ例テ')) },
      { weight: 1, arbitrary: fc.constantFrom('\u0301', '\u0307', '\u0327', '\u3002', ' ', '\u00AD') },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
    )
    const text = fc.array(character, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(text, text, fc.constantFrom('com', 'ΕΛ', 'xn--p1ai', 'テスト'), (local, domain, end) =>
        expectFixedPoint(`${local}@${domain}.${end}`),
      ),
      { seed: SEED, numRuns: 5000 },
    )
  })
})
