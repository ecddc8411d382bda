import { expect, test } from 'vitest'
import { challengeFor } from '../../src/core/challenge.js'
import { problemOf } from '../../src/core/problem.js'
import { ERRORS, type ErrorCode } from '../../src/errors.js'

const CODES = Object.keys(ERRORS) as ErrorCode[]

test('a problem says what the table of errors says, and which request it was', () => {
  expect(problemOf('invalid_token', 'request-7')).toEqual({
    type: 'about:blank',
    title: 'Unauthorized',
    status: 401,
    detail: ERRORS.invalid_token.detail,
    code: 'invalid_token',
    request_id: 'request-7',
  })
})

test('a problem says nothing of a request or of fields where there are none', () => {
  for (const code of CODES) {
    expect(Object.keys(problemOf(code, undefined))).toEqual(['type', 'title', 'status', 'detail', 'code'])
  }
})

test('a problem names the fields that are wrong', () => {
  const errors = [{ field: 'email', message: 'is no address' }]
  expect(problemOf('validation_failed', undefined, errors)).toMatchObject({ errors })
})

test('every 401 comes with a challenge, and no other status does', () => {
  for (const code of CODES) {
    expect(challengeFor(code)?.startsWith('Bearer realm="keyward"') ?? false, code).toBe(
      ERRORS[code].status === 401,
    )
  }
})

test('the challenge names an error when a token was refused, and then alone', () => {
  const withError = CODES.filter((code) => challengeFor(code)?.includes('error='))
  expect(withError.sort()).toEqual(['invalid_token', 'token_expired'])
  expect(challengeFor('token_expired')).toBe(
    'Bearer realm="keyward", error="invalid_token", error_description="Token has expired"',
  )
})
