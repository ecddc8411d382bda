import { expect, test } from 'vitest'
import { soleAuthorization } from '../../src/core/bearer.js'

const VALUE = 'Bearer abc'

test('one Authorization header is what it says, among others of the same length', () => {
  const headers = ['Cache-Control', 'no-store', 'Authorization', VALUE, 'If-None-Match', VALUE]
  expect(soleAuthorization(headers, VALUE)).toBe(VALUE)
})

test('none is none, however often another header comes', () => {
  const headers = ['Cache-Control', 'no-store', 'Cache-Control', 'Authorization']
  expect(soleAuthorization(headers, undefined)).toBeUndefined()
})

test('two are credentials that nobody can use', () => {
  expect(soleAuthorization(['Authorization', VALUE, 'AUTHORIZATION', VALUE], VALUE)).toBe('')
})
