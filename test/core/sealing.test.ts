import { expect, test } from 'vitest'
import { deriveKey, seal, unseal } from '../../src/core/sealing.js'
import { SECRET } from './sample-token.js'

const KEY = deriveKey(SECRET, 'one purpose')
const CONTENT = Buffer.from('content')

test('what was sealed opens with the same key and label', () => {
  expect(unseal(KEY, seal(KEY, CONTENT, 'label'), 'label')).toEqual(CONTENT)
  expect(unseal(KEY, seal(KEY, Buffer.alloc(0)))).toEqual(Buffer.alloc(0))
})

test('it does not open under another label, or with the key for another purpose', () => {
  const sealed = seal(KEY, CONTENT, 'label')
  expect(() => unseal(KEY, sealed, 'Label')).toThrow()
  expect(() => unseal(KEY, sealed)).toThrow()
  expect(() => unseal(deriveKey(SECRET, 'another purpose'), sealed, 'label')).toThrow()
})

test('it does not open with a shortened tag', () => {
  const sealed = seal(KEY, CONTENT)
  for (let cut = 1; cut <= 12; cut++) expect(() => unseal(KEY, sealed.subarray(0, -cut))).toThrow()
})

test('no two seals share a nonce, under one key or after a restart', () => {
  // Nothing is kept between two calls that a restart could set back.
  const nonces = Array.from({ length: 10_000 }, () => seal(KEY, CONTENT).subarray(0, 12).toString('hex'))
  expect(new Set(nonces).size).toBe(10_000)
})
