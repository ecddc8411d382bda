import { createTokenKey, type TokenVerdict, verifyAccessToken } from '../core/access-token.js'
import { readBearerToken } from '../core/bearer.js'
import { type Clock, systemClock } from '../core/clock.js'
import type { RevocationCheck } from '../core/revocation-check.js'

export type GuardVerdict =
  | TokenVerdict
  | { readonly ok: false; readonly code: 'not_authenticated' | 'revocation_stale' }

export interface GuardOptions {
  /** The `BETTER_AUTH_SECRET` that Keyward signs with; at least 32 bytes. */
  readonly secret: string
  /** Keyward's `JWT_ISSUER`; default `keyward`. */
  readonly issuer?: string
  /** Accept tokens without `sid`, made by another stack with the same secret; default false. */
  readonly acceptLegacyTokens?: boolean
  /** Tells of ended sessions; without it, a token is good until it expires. See `followRevocations`. */
  readonly revocations?: RevocationCheck
  /** Milliseconds since the epoch; default the system's clock. */
  readonly clock?: Clock
}

export interface Guard {
  /** Judges an `Authorization` header. Never throws and asks nobody else. */
  check(authorization: string | undefined): GuardVerdict
}

const NOT_AUTHENTICATED: GuardVerdict = { ok: false, code: 'not_authenticated' }

/**
 * Protects any API with Keyward's access tokens, without a framework and without asking Keyward.
 * Throws a RangeError at once for a missing or short secret, so that a misconfigured guard never lets anyone in.
 */
export function createGuard(options: GuardOptions): Guard {
  const { clock = systemClock, revocations } = options
  const key = createTokenKey(options.secret ?? '')
  const rules = {
    issuer: options.issuer ?? 'keyward',
    acceptLegacyTokens: options.acceptLegacyTokens === true,
  }
  return {
    check(authorization) {
      const token = readBearerToken(authorization)
      if (token === null) return NOT_AUTHENTICATED
      const verdict = verifyAccessToken(key, token, rules, clock())
      return verdict.ok && revocations ? refuseEnded(verdict, revocations) : verdict
    },
  }
}

type Valid = Extract<TokenVerdict, { ok: true }>

/** Ended by its id, never by the token's text, which could be spelled in another way. A legacy token has no id. */
function refuseEnded(verdict: Valid, revocations: RevocationCheck): GuardVerdict {
  const { sessionId } = verdict.principal
  if (sessionId === null) return verdict
  const state = revocations(sessionId)
  if (state === 'live') return verdict
  return { ok: false, code: state === 'ended' ? 'invalid_token' : 'revocation_stale' }
}
