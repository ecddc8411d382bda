/**
 * Every refusal a client can meet. `code` (the key) is the stable part of the interface: it is never renamed,
 * and `docs/errors.md` lists the same rows (a test compares them).
 */
export const ERRORS = {
  validation_failed: { status: 400, detail: 'The request has invalid fields' },
  malformed_json: { status: 400, detail: 'The body is not valid JSON' },
  malformed_request: { status: 400, detail: 'The request is not valid HTTP' },
  not_authenticated: { status: 401, detail: 'Not authenticated' },
  token_expired: { status: 401, detail: 'Token has expired' },
  invalid_token: { status: 401, detail: 'Invalid token' },
  invalid_credentials: { status: 401, detail: 'Invalid email or password' },
  wrong_password: { status: 401, detail: 'The current password is wrong' },
  invalid_refresh_token: { status: 401, detail: 'Invalid refresh token' },
  account_disabled: { status: 403, detail: 'This account is disabled' },
  reauthentication_required: { status: 403, detail: 'This needs a more recent login' },
  account_not_found: { status: 404, detail: 'This account does not exist' },
  session_not_found: { status: 404, detail: 'This session does not exist' },
  route_not_found: { status: 404, detail: 'There is nothing at this address' },
  method_not_allowed: { status: 405, detail: 'This address does not support this method' },
  request_timeout: { status: 408, detail: 'The request took too long to arrive' },
  email_taken: { status: 409, detail: 'This email is already registered' },
  body_too_large: { status: 413, detail: 'The body is too large' },
  uri_too_long: { status: 414, detail: 'The address is too long' },
  unsupported_media_type: { status: 415, detail: 'The body must be application/json in UTF-8' },
  too_many_attempts: { status: 429, detail: 'Too many failed attempts' },
  too_many_requests: { status: 429, detail: 'Too many requests' },
  headers_too_large: { status: 431, detail: 'The headers are too large' },
  internal_error: { status: 500, detail: 'Something went wrong on the server' },
  database_unavailable: { status: 503, detail: 'The database cannot be reached right now' },
  revocation_stale: { status: 503, detail: 'It cannot be checked right now whether this session has ended' },
  keys_unavailable: { status: 503, detail: 'It cannot be checked right now who signed this token' },
  overloaded: { status: 503, detail: 'The server is too busy right now' },
} as const satisfies Record<string, { status: number; detail: string }>

export type ErrorCode = keyof typeof ERRORS

export interface FieldError {
  readonly field: string
  readonly message: string
}

interface RefusalOptions {
  readonly errors?: readonly FieldError[]
  /** Whole seconds for the `Retry-After` header (RFC 9110 §10.2.3). */
  readonly retryAfterSeconds?: number
  /** For the log only; it never reaches a client and must never hold a token or a password. */
  readonly cause?: unknown
}

/** An expected "no" to a client. Anything else that is thrown becomes a 500 `internal_error`. */
export class Refusal extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly errors: readonly FieldError[] | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(code: ErrorCode, options: RefusalOptions = {}) {
    super(ERRORS[code].detail, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Refusal'
    this.code = code
    this.status = ERRORS[code].status
    this.errors = options.errors
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}
