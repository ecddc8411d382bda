import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  generateRefreshToken,
  hashRefreshToken,
  isRefreshTokenForm,
  openChild,
  sealChild,
} from '../../src/core/refresh-token.js'

test('a refresh token names its kind and carries 256 bits that no other has', () => {
  const tokens = Array.from({ length: 1_000 }, generateRefreshToken)
  for (const token of tokens) {
    expect(token).toMatch(/^kwr_[A-Za-z0-9_-]{43}$/)
    expect(Buffer.from(token.slice(4), 'base64url')).toHaveLength(32)
    expect(isRefreshTokenForm(token)).toBe(true)
  }
  expect(new Set(tokens).size).toBe(1_000)
})

const BODY = 'A'.repeat(43)

test.each([
  '',
  'kwr_',
  BODY,
  `kwr_${BODY.slice(1)}`,
  `kwr_${BODY}A`,
  `kwr_${BODY}\n`,
  ` kwr_${BODY}`,
  `KWR_${BODY}`,
  `kwr_${BODY.slice(1)}=`,
  `kwr_${BODY.slice(1)}+`,
  `kwr_${BODY.slice(1)}.`,
  `x\nkwr_${BODY}`,
])('%j has not the form of a refresh token', (text) => {
  expect(isRefreshTokenForm(text)).toBe(false)
})

test('the hash is SHA-256 of the whole token', () => {
  const token = generateRefreshToken()
  expect(hashRefreshToken(token)).toEqual(createHash('sha256').update(token, 'utf8').digest())
})

test('the parent opens what was sealed for it', () => {
  const [parent, child] = [generateRefreshToken(), generateRefreshToken()]
  expect(openChild(parent, sealChild(parent, child))).toBe(child)
})

test('nobody but the parent opens it: neither the child, nor another token, nor a hash of the parent', () => {
  const [parent, child] = [generateRefreshToken(), generateRefreshToken()]
  const sealed = sealChild(parent, child)
  const others = [
    child,
    generateRefreshToken(),
    '',
    parent.slice(4),
    hashRefreshToken(parent).toString('hex'),
  ]
  for (const other of others) expect(() => openChild(other, sealed)).toThrow()
})

test('a single changed bit anywhere makes it worthless', () => {
  const parent = generateRefreshToken()
  const sealed = sealChild(parent, generateRefreshToken())
  for (let position = 0; position < sealed.length; position++) {
    const changed = Buffer.from(sealed)
    changed.writeUInt8(changed.readUInt8(position) ^ 1, position)
    expect(() => openChild(parent, changed)).toThrow()
  }
})

test('a piece of it is worthless too', () => {
  const parent = generateRefreshToken()
  const sealed = sealChild(parent, generateRefreshToken())
  for (const length of [0, 11, 12, 27, 28, sealed.length - 1]) {
    expect(() => openChild(parent, sealed.subarray(0, length))).toThrow()
  }
})

test('sealing twice looks different each time and never shows the child', () => {
  const [parent, child] = [generateRefreshToken(), generateRefreshToken()]
  const [first, second] = [sealChild(parent, child), sealChild(parent, child)]
  expect(first.subarray(0, 12)).not.toEqual(second.subarray(0, 12))
  expect(first.equals(second)).toBe(false)
  expect(first.includes(child)).toBe(false)
  expect(first.includes(child.slice(4, 12))).toBe(false)
})

test('what an earlier version has sealed opens', () => {
  const sealed = Buffer.from(
    'HNHmHkIWZY7JnJKWUbwv96raXEGNLG95qroiJdBtEF14LWqKgy2eAFvLB5OISSKb9NSSHhv5zkSyRoq80jrCIaREK354tyVTT86o',
    'base64',
  )
  expect(openChild(`kwr_${BODY}`, sealed)).toBe(`kwr_${'B'.repeat(43)}`)
})
