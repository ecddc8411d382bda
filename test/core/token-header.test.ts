import { expect, test } from 'vitest'
import { encodeHeader, parseHeader } from '../../src/core/token-header.js'

const THUMBPRINT = 'k'.repeat(43)
const kidOf = (kid: string) => parseHeader(encodeHeader({ algorithm: 'EdDSA', type: 'JWT', kid }))?.kid

test('a header names a key by a thumbprint', () => {
  expect(kidOf(THUMBPRINT)).toBe(THUMBPRINT)
})

test.each([
  `k${THUMBPRINT}`,
  `${THUMBPRINT}k`,
  `../${THUMBPRINT}`,
  `${THUMBPRINT}\n`,
  THUMBPRINT.slice(1),
  '',
])('the kid %j names no key that anybody would be asked about', (kid) => {
  expect(kidOf(kid)).toBeNull()
})
