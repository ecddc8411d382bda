import { STATUS_CODES } from 'node:http'
import { ERRORS, type ErrorCode, type FieldError } from '../errors.js'

/** Body of every refusal, as `application/problem+json` (RFC 9457). */
export interface Problem {
  readonly type: 'about:blank'
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ErrorCode
  /** Where the server has one. */
  readonly request_id?: string
  readonly errors?: readonly FieldError[]
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** The problem for a code. Its texts are the table's: nothing of the request or of the server gets in. */
export function problemOf(
  code: ErrorCode,
  requestId: string | undefined,
  errors?: readonly FieldError[],
): Problem {
  const { status, detail } = ERRORS[code]
  return {
    // With about:blank the title is that of the status (RFC 9457 §4.2.1).
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail,
    code,
    ...(requestId !== undefined && { request_id: requestId }),
    ...(errors && { errors }),
  }
}
