import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseEmail } from '../../src/core/email.js'

interface Vector {
  readonly id: number
  readonly address: string
  readonly category: string
  readonly diagnosis: string
}

const { tests: vectors } = JSON.parse(
  readFileSync(new URL('../vectors/isemail/tests.json', import.meta.url), 'utf8'),
) as { tests: Vector[] }

/**
 * What Keyward takes: a local part of atoms and dots, and a domain of at least two DNS labels whose last is no number.
 * No quoted strings, comments, folding or address literals, though RFC 5322 has them; and nothing is asked of DNS.
 */
const ACCEPTED_AS_THEY_ARE = new Set([
  8, 9, 10, 11, 12, 13, 14, 19, 21, 22, 25, 27, 29, 32, 33, 37, 38, 100, 101, 167, 168,
])

/** An accepted address with white space around it, which is how people paste; RFC 5322 judges it by its folding. */
const ACCEPTED_ONCE_TRIMMED = new Set([
  88, 89, 99, 127, 128, 132, 141, 142, 143, 144, 145, 146, 147, 148, 149, 150, 151, 152, 153, 154, 155, 156,
  157, 158,
])

/** Valid by the RFCs, and refused here on purpose: a domain without a dot. */
const REFUSED_THOUGH_VALID = new Set([5])

test.each(vectors)('isemail $id ($diagnosis)', ({ id, address, category }) => {
  const accepted = parseEmail(address)?.address
  if (ACCEPTED_AS_THEY_ARE.has(id)) {
    expect(accepted).toBe(address.toLowerCase())
  } else if (ACCEPTED_ONCE_TRIMMED.has(id)) {
    expect(address.trim()).not.toBe(address)
    expect(accepted).toBe('test@iana.org')
  } else {
    expect(accepted).toBeUndefined()
    if (!REFUSED_THOUGH_VALID.has(id)) expect(category).not.toBe('ISEMAIL_VALID_CATEGORY')
  }
})

test('every address accepted as it is is valid, or merely has no mail server today', () => {
  const categories = vectors.filter(({ id }) => ACCEPTED_AS_THEY_ARE.has(id)).map(({ category }) => category)
  expect(categories).toHaveLength(ACCEPTED_AS_THEY_ARE.size)
  expect([...new Set(categories)].sort()).toEqual(['ISEMAIL_DNSWARN', 'ISEMAIL_VALID_CATEGORY'])
})
