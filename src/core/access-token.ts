import { decodeCanonicalBase64url } from './base64url.js'
import { toNumericDate } from './clock.js'
import { parseJsonObject } from './json.js'
import { judgeSignature, type Keyring } from './keyring.js'
import type { SigningKey } from './signing-key.js'
import { encodeHeader, parseHeader, type TokenType } from './token-header.js'
import { isUuid } from './uuid.js'

/** Claims of an access token (RFC 7519 §4.1; `sid` as in OpenID Connect). Times are NumericDates in seconds. */
export interface AccessTokenClaims {
  readonly sub: string
  readonly email?: string
  readonly iat: number
  readonly exp: number
  readonly jti: string
  readonly sid: string
  readonly iss: string
  readonly aud?: string | string[]
}

/** Who a valid token speaks for: `id` is the user. `sessionId` is null only for a legacy token, made without `sid`. */
export interface Principal {
  readonly id: string
  readonly sessionId: string | null
  readonly tokenId: string | null
  readonly email: string | null
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

/** `unknown_key`: the token names a key that is not in the keyring; a newer one may have it. */
export type TokenVerdict =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly code: 'token_expired' | 'invalid_token' | 'unknown_key' }

export interface TokenRules {
  readonly issuer: string
  /** A token must be for one of these; when there are none, it must be for nobody in particular. */
  readonly audiences: readonly string[]
  readonly type: TokenType
  /** Accept tokens without `sid`, `jti` and `iss`, as other stacks with the same secret make them. */
  readonly acceptLegacyTokens: boolean
}

// Far above any token made here (an address is at most 254 octets); a cap before any parsing (CVE-2025-30204).
const MAX_TOKEN_LENGTH = 4096
const INVALID: TokenVerdict = { ok: false, code: 'invalid_token' }
const EXPIRED: TokenVerdict = { ok: false, code: 'token_expired' }
const UNKNOWN_KEY: TokenVerdict = { ok: false, code: 'unknown_key' }

/** Signs an access token (RFC 7515 §3.1 compact serialisation). */
export function signAccessToken(key: SigningKey, claims: AccessTokenClaims, type: TokenType = 'JWT'): string {
  const header = encodeHeader({ algorithm: key.algorithm, type, kid: key.kid })
  const signingInput = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  return `${signingInput}.${key.sign(signingInput)}`
}

/**
 * Verifies an access token and returns who it speaks for, or why it is refused.
 * The algorithm is the key's, never the token's (RFC 8725 §3.1), and but for the name of its key nothing inside the token
 * is looked at before its signature holds (ASVS 9.1.1).
 */
export function verifyAccessToken(
  keyring: Keyring,
  token: string,
  rules: TokenRules,
  nowMs: number,
): TokenVerdict {
  if (token.length > MAX_TOKEN_LENGTH) return INVALID
  const firstDot = token.indexOf('.')
  const lastDot = token.lastIndexOf('.')
  if (firstDot === lastDot || token.indexOf('.', firstDot + 1) !== lastDot) return INVALID
  const headerSegment = token.slice(0, firstDot)
  const header = keyring.usualHeaders.get(headerSegment) ?? parseHeader(headerSegment)
  if (header === null || header.type !== rules.type) return INVALID
  const signed = { input: token.slice(0, lastDot), signature: token.slice(lastDot + 1) }
  const signature = judgeSignature(keyring, header, signed, nowMs)
  if (signature !== 'right') return signature === 'wrong' ? INVALID : UNKNOWN_KEY
  const payload = decodeCanonicalBase64url(token.slice(firstDot + 1, lastDot))
  const claims = payload && parseJsonObject(payload)
  if (!claims) return INVALID
  // Only who shares a secret can have made a token of another shape than ours.
  const mayBeLegacy = rules.acceptLegacyTokens && header.algorithm === 'HS256'
  return judgeClaims(claims, rules, mayBeLegacy, toNumericDate(nowMs))
}

function judgeClaims(
  claims: Record<string, unknown>,
  rules: TokenRules,
  mayBeLegacy: boolean,
  now: number,
): TokenVerdict {
  const { sub, exp, nbf, iat, iss, aud, sid, jti, email } = claims
  if (!isUuid(sub) || !isFiniteNumber(exp)) return INVALID
  if (nbf !== undefined && !(isFiniteNumber(nbf) && nbf <= now)) return INVALID
  if (iat !== undefined && !isFiniteNumber(iat)) return INVALID
  if (!isForUs(aud, rules.audiences)) return INVALID
  if (iss !== undefined && iss !== rules.issuer) return INVALID
  const sessionId = isUuid(sid) ? sid.toLowerCase() : null
  // Made by Keyward, not by another holder of the secret: names its issuer, its session and itself.
  const isNative = sessionId !== null && iss !== undefined && isUuid(jti)
  if (!isNative && !(mayBeLegacy && isLegacyAccessToken(claims))) return INVALID
  // RFC 7519 §4.1.4: "on or after" the time, so an equal time is expired.
  // Asked this way round, a clock that is broken lets nobody in.
  if (!(now < exp)) return EXPIRED
  return {
    ok: true,
    principal: {
      id: sub.toLowerCase(),
      sessionId,
      tokenId: typeof jti === 'string' ? jti : null,
      email: typeof email === 'string' ? email : null,
      expiresAt: exp,
    },
  }
}

/** RFC 7519 §4.1.3, exactly and case-sensitively. Where no audience is asked for, a token for a named one is not ours. */
function isForUs(aud: unknown, audiences: readonly string[]): boolean {
  if (audiences.length === 0) return aud === undefined
  if (!Array.isArray(aud)) return audiences.some((audience) => audience === aud)
  return audiences.some((audience) => aud.includes(audience))
}

/** Other stacks mark their refresh tokens by a `type`; those are not for here (RFC 8725 §3.12). */
function isLegacyAccessToken({ sid, type, token_type }: Record<string, unknown>): boolean {
  const kind = type ?? token_type ?? 'access'
  return sid === undefined && kind === 'access'
}

function isFiniteNumber(value: unknown): value is number {
  return Number.isFinite(value)
}
