import { createTokenKey, type TokenVerdict, verifyAccessToken } from '../core/access-token.js'
import { type Clock, systemClock } from '../core/clock.js'

export type { Principal } from '../core/access-token.js'

export type GuardVerdict = TokenVerdict | { readonly ok: false; readonly code: 'not_authenticated' }

export interface GuardOptions {
  /** The `BETTER_AUTH_SECRET` that Keyward signs with; at least 32 bytes. */
  readonly secret: string
  /** Keyward's `JWT_ISSUER`; default `keyward`. */
  readonly issuer?: string
  /** Accept tokens without `sid`, made by another stack with the same secret; default false. */
  readonly acceptLegacyTokens?: boolean
  /** Milliseconds since the epoch; default the system's clock. */
  readonly clock?: Clock
}

export interface Guard {
  /** Judges an `Authorization` header. Never throws and asks nobody else. */
  check(authorization: string | undefined): GuardVerdict
}

const NOT_AUTHENTICATED: GuardVerdict = { ok: false, code: 'not_authenticated' }

// `Bearer` in any letter case (RFC 9110 §11.1), one or more spaces, a b64token (RFC 6750 §2.1).
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i

/**
 * Protects any API with Keyward's access tokens, without a framework and without asking Keyward.
 * Throws a RangeError at once for a missing or short secret, so that a misconfigured guard never lets anyone in.
 */
export function createGuard(options: GuardOptions): Guard {
  const { clock = systemClock } = options
  const key = createTokenKey(options.secret ?? '')
  const rules = {
    issuer: options.issuer ?? 'keyward',
    acceptLegacyTokens: options.acceptLegacyTokens === true,
  }
  return {
    check(authorization) {
      const token = authorization === undefined ? undefined : BEARER.exec(authorization)?.[1]
      return token === undefined ? NOT_AUTHENTICATED : verifyAccessToken(key, token, rules, clock())
    },
  }
}
