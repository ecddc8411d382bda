import { ERRORS, type ErrorCode } from '../errors.js'

const REALM = 'Bearer realm="keyward"'

/**
 * The `WWW-Authenticate` value that every 401 must have (RFC 9110 §15.5.2): with `invalid_token` when a bearer token
 * was refused, without an error attribute otherwise (RFC 6750 §3). Undefined for every other status.
 */
export function challengeFor(code: ErrorCode): string | undefined {
  if (ERRORS[code].status !== 401) return undefined
  if (code !== 'token_expired' && code !== 'invalid_token') return REALM
  return `${REALM}, error="invalid_token", error_description="${ERRORS[code].detail}"`
}
