import { ERRORS, type ErrorCode } from '../errors.js'

const REALM = 'Bearer realm="keyward"'

/**
 * The `WWW-Authenticate` value for a refusal by the guard (RFC 6750 §3): no error attribute when nothing usable
 * was sent, `invalid_token` for everything else. Undefined for refusals that are not the guard's.
 */
export function challengeFor(code: ErrorCode): string | undefined {
  if (code === 'not_authenticated') return REALM
  if (code !== 'token_expired' && code !== 'invalid_token') return undefined
  return `${REALM}, error="invalid_token", error_description="${ERRORS[code].detail}"`
}
