import type { JsonWebKey } from 'node:crypto'
import {
  type Principal,
  type TokenRules,
  type TokenVerdict,
  verifyAccessToken,
} from '../core/access-token.js'
import { readBearerToken } from '../core/bearer.js'
import { type Clock, systemClock } from '../core/clock.js'
import { fixedKeys, type KeySource } from '../core/key-source.js'
import { createKeyring, verifyOnly } from '../core/keyring.js'
import type { RevocationCheck } from '../core/revocation-check.js'
import { createSecret, importPublicJwk } from '../core/signing-key.js'
import { TOKEN_TYPES, type TokenType } from '../core/token-header.js'
import { createRemoteKeys, type RemoteKeysOptions } from './remote-keys.js'

export type GuardVerdict =
  | { readonly ok: true; readonly principal: Principal }
  /** `anonymous`: there was no `Authorization` header at all, as opposed to one that is of no use. */
  | { readonly ok: false; readonly code: 'not_authenticated'; readonly anonymous: boolean }
  | {
      readonly ok: false
      readonly code: 'token_expired' | 'invalid_token' | 'revocation_stale' | 'keys_unavailable'
    }

/** Judges an `Authorization` header, whichever way its keys come. */
export interface Guard {
  /**
   * Never throws and never rejects. A promise comes back only while keys have to be fetched from a `jwksUrl`: test with
   * `instanceof Promise`, or simply `await`.
   */
  check(authorization: string | null | undefined): GuardVerdict | Promise<GuardVerdict>
}

/** A guard that has all its keys, and so answers at once. */
export interface LocalGuard extends Guard {
  check(authorization: string | null | undefined): GuardVerdict
}

export interface GuardRules {
  /** Keyward's `JWT_ISSUER`; default `keyward`. */
  readonly issuer?: string | undefined
  /** Who this API is: a token must be for one of these. Default: tokens that are for nobody in particular. */
  readonly audience?: string | readonly string[] | undefined
  /** Keyward's `JWT_TYPE`; default `JWT`. */
  readonly type?: TokenType | undefined
  /** Accept HS256 tokens without `sid`, made by another stack with the same secret; default false. */
  readonly acceptLegacyTokens?: boolean | undefined
  /** Tells of ended sessions; without it, a token is good until it expires. See `followRevocations`. */
  readonly revocations?: RevocationCheck | undefined
  /** Milliseconds since the epoch; default the system's clock. */
  readonly clock?: Clock | undefined
}

/** At least one of `secret`, `keys` and `jwksUrl`; several while moving from one to the other. */
export interface GuardOptions extends GuardRules, Omit<RemoteKeysOptions, 'jwksUrl'> {
  /** The `BETTER_AUTH_SECRET` that Keyward signs with, or several while it is being replaced; at least 32 bytes each. */
  readonly secret?: string | readonly string[] | undefined
  /** Public keys of Keyward, as they stand in its JWK Set. */
  readonly keys?: readonly JsonWebKey[] | undefined
  /** Where Keyward publishes its keys. See `RemoteKeysOptions`. */
  readonly jwksUrl?: string | undefined
}

const ANONYMOUS: GuardVerdict = { ok: false, code: 'not_authenticated', anonymous: true }
const NOT_AUTHENTICATED: GuardVerdict = { ok: false, code: 'not_authenticated', anonymous: false }
const INVALID: GuardVerdict = { ok: false, code: 'invalid_token' }
const KEYS_UNAVAILABLE: GuardVerdict = { ok: false, code: 'keys_unavailable' }

/**
 * Protects any API with Keyward's access tokens, without a framework and without asking Keyward about any of them.
 * Throws at once for a missing or short secret, for a key that is none, and for an insecure `jwksUrl`, so that a
 * misconfigured guard never lets anyone in.
 */
export function createGuard(options: GuardOptions & { readonly jwksUrl?: undefined }): LocalGuard
export function createGuard(options: GuardOptions): Guard
export function createGuard(options: GuardOptions): Guard {
  const { secret = [], keys = [], jwksUrl } = options
  const secrets = (Array.isArray(secret) ? secret : [secret]).map((each: unknown) =>
    createSecret(typeof each === 'string' ? each : ''),
  )
  const publicKeys = keys.map((jwk) => verifyOnly(importPublicJwk(jwk)))
  if (secrets.length + publicKeys.length === 0 && jwksUrl === undefined)
    throw new RangeError('A guard needs a secret, keys or a jwksUrl')
  const given = createKeyring(secrets, publicKeys)
  const source = jwksUrl === undefined ? fixedKeys(given) : createRemoteKeys({ ...options, jwksUrl }, given)
  return createGuardOn(source, options)
}

/** A guard over any source of keys. */
export function createGuardOn(source: KeySource, rules: GuardRules): Guard {
  const { clock = systemClock, revocations } = rules
  const tokenRules = toTokenRules(rules)

  function judge(token: string): TokenVerdict | GuardVerdict {
    const verdict = verifyAccessToken(source.keyring(), token, tokenRules, clock())
    return verdict.ok && revocations ? refuseEnded(verdict, revocations) : verdict
  }

  /** The key is unknown: whether the token is wrong, or cannot be judged, depends on what there is to learn. */
  function judgeOnceLearnt(token: string): GuardVerdict | Promise<GuardVerdict> {
    const learnt = source.learn()
    if (typeof learnt === 'boolean') return learnt ? INVALID : KEYS_UNAVAILABLE
    return learnt.then((isUpToDate) => {
      const verdict = judge(token)
      if (isKnown(verdict)) return verdict
      return isUpToDate ? INVALID : KEYS_UNAVAILABLE
    })
  }

  return {
    check(authorization) {
      if (authorization === undefined || authorization === null) return ANONYMOUS
      // Reading the header strictly takes a scan. In the usual spelling that is left to the judge: what it accepts has no
      // character that the scan would refuse.
      const usual = authorization.startsWith('Bearer ') ? authorization.slice(7) : null
      const verdict = usual === null ? INVALID : judge(usual)
      if (verdict.ok) return verdict
      const token = readBearerToken(authorization)
      if (token === null) return NOT_AUTHENTICATED
      const final = token === usual ? verdict : judge(token)
      return isKnown(final) ? final : judgeOnceLearnt(token)
    },
  }
}

const isKnown = (verdict: TokenVerdict | GuardVerdict): verdict is GuardVerdict =>
  verdict.ok || verdict.code !== 'unknown_key'

function toTokenRules({ issuer, audience, type, acceptLegacyTokens }: GuardRules): TokenRules {
  const known = TOKEN_TYPES.find((each) => each === (type ?? 'JWT'))
  if (known === undefined) throw new RangeError(`The type of a token is ${TOKEN_TYPES.join(' or ')}`)
  const audiences = typeof audience === 'string' ? [audience] : [...(audience ?? [])]
  if (audience !== undefined && (audiences.length === 0 || audiences.includes('')))
    throw new RangeError('An audience must not be empty')
  return {
    issuer: issuer ?? 'keyward',
    audiences,
    type: known,
    acceptLegacyTokens: acceptLegacyTokens === true,
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
