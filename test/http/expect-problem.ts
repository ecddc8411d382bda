import { STATUS_CODES } from 'node:http'
import { expect } from 'vitest'
import { ERRORS, type ErrorCode, type FieldError } from '../../src/errors.js'
import type { Reply } from '../support/test-app.js'

/** Checks the whole of a refusal: its status, its type, its body to the last field, and the guard's challenge. */
export function expectProblem(reply: Reply, code: ErrorCode, errors?: readonly FieldError[]): void {
  const { status, detail } = ERRORS[code]
  expect(reply.body).toStrictEqual({
    type: 'about:blank',
    title: STATUS_CODES[status],
    status,
    detail,
    code,
    request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    ...(errors && { errors }),
  })
  expect(reply.status).toBe(status)
  expect(reply.headers['content-type']).toBe('application/problem+json; charset=utf-8')
  expect(reply.headers['x-request-id']).toBe(reply.body.request_id)
  expect(reply.headers['www-authenticate']).toBe(CHALLENGES[code])
}

const CHALLENGES: Partial<Record<ErrorCode, string>> = {
  not_authenticated: 'Bearer realm="keyward"',
  invalid_credentials: 'Bearer realm="keyward"',
  wrong_password: 'Bearer realm="keyward"',
  invalid_refresh_token: 'Bearer realm="keyward"',
  token_expired: 'Bearer realm="keyward", error="invalid_token", error_description="Token has expired"',
  invalid_token: 'Bearer realm="keyward", error="invalid_token", error_description="Invalid token"',
}
