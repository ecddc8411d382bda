import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseEmail } from '../../src/core/email.js'

const addressOf = (input: string): string | undefined => parseEmail(input)?.address

const character = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...Array.from('abkzAKZ019')) },
  { weight: 1, arbitrary: fc.constantFrom(...Array.from('.-_+!#\'/=`{|}~ @"<>(),:;[]\\%\t\u0000')) },
  { weight: 2, arbitrary: fc.constantFrom(...Array.from('éÉßẞĞİıΣσςÜжЖテ例\u0301\u0327\u3002\u00ad')) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
)
const part = fc.string({ unit: character, minLength: 1, maxLength: 6 })
const tail = fc.constantFrom('.com', '.example', '.xn--p1ai', '.テスト', '.1', '.c-m', '')
const candidate = fc.tuple(part, part, tail).map(([local, domain, end]) => `${local}@${domain}${end}`)
const anything = fc.oneof({ weight: 9, arbitrary: candidate }, fc.string({ unit: 'binary' }))

/** Runs on accepted addresses alone, and makes sure that there are enough of them. */
function forAccepted(check: (input: string, address: string) => void): void {
  let accepted = 0
  fc.assert(
    fc.property(anything, (input) => {
      const address = addressOf(input)
      if (address === undefined) return
      accepted++
      check(input, address)
    }),
    { numRuns: 3_000 },
  )
  expect(accepted).toBeGreaterThan(200)
}

test('whatever comes in, an address is storable, bounded, lower-case and plain at its end, or there is none', () => {
  forAccepted((_, address) => {
    const [local, domain, ...rest] = address.split('@') as [string, string]
    expect(rest).toEqual([])
    expect(domain).toMatch(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/)
    expect(local).toBe(local.toLowerCase().normalize('NFC'))
    expect(local).not.toMatch(/[\p{C}\p{Z}]/u)
    expect(Buffer.byteLength(local)).toBeLessThanOrEqual(64)
    expect(Buffer.byteLength(address)).toBeLessThanOrEqual(254)
  })
})

test('an address and all its lookup keys are one account', () => {
  forAccepted((input, address) => {
    const keys = parseEmail(input)?.lookupKeys ?? []
    expect(keys[0]).toBe(address)
    expect(new Set(keys).size).toBe(keys.length)
    for (const key of keys) expect(addressOf(key)).toBe(address)
  })
})

test('capitals, white space around it and the Unicode form in which it was typed make no other account', () => {
  forAccepted((input, address) => {
    expect(addressOf(` \t${input}\n`)).toBe(address)
    for (const form of ['NFC', 'NFD'] as const) expect(addressOf(input.normalize(form))).toBe(address)
    const capitals = input.toUpperCase()
    // Not every letter comes back from its capital: ß becomes SS, and a domain keeps ς apart from σ (UTS 46).
    const comesBack = capitals.toLowerCase() === input.toLowerCase() && !input.includes('ς')
    if (comesBack) expect(addressOf(capitals)).toBe(address)
  })
})

/** What browsers accept in `<input type=email>` (HTML Living Standard, "valid email address"). */
const HTML_ADDRESS =
  /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/

/** Where Keyward is stricter than a browser. */
const STRICTER: readonly ((local: string, domain: string) => boolean)[] = [
  (local) => /^\.|\.\.|\.$/.test(local),
  (local) => local.length > 64,
  (_, domain) => !domain.includes('.'),
  (_, domain) => /(^|\.)\d+$/.test(domain),
  (_, domain) => domain.toLowerCase().includes('xn--'),
]

test('of plain addresses those are accepted that browsers accept, but for the stricter rules', () => {
  const plain = fc.constantFrom(...Array.from('abkzAKZ019.-_+!\'/=`{|}~ @"<(,:[\\%'))
  const text = (unit: fc.Arbitrary<string>) => fc.string({ unit, minLength: 1, maxLength: 12 })
  const domain = text(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...Array.from('abz09.-')) }, plain))
  const typed = fc.tuple(text(plain), domain, fc.constantFrom('', '.com', '.1a', '.9')).map((parts) => parts)
  const outcomes = { accepted: 0, stricter: 0, refused: 0 }
  fc.assert(
    fc.property(typed, ([local, start, end]) => {
      const input = `${local}@${start}${end}`.trim()
      const isStricter = STRICTER.some((rule) => rule(local.trimStart(), `${start}${end}`.trimEnd()))
      const byBrowser = HTML_ADDRESS.test(input)
      outcomes[byBrowser ? (isStricter ? 'stricter' : 'accepted') : 'refused']++
      expect(addressOf(input) !== undefined).toBe(byBrowser && !isStricter)
    }),
    { numRuns: 5_000 },
  )
  expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(50)
})
