import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto'
import { decodeCanonicalBase64url } from './base64url.js'
import { toNumericDate } from './clock.js'
import { isUuid } from './uuid.js'

/** Claims of an access token (RFC 7519 §4.1; `sid` as in OpenID Connect). Times are NumericDates in seconds. */
export interface AccessTokenClaims {
  readonly sub: string
  readonly email: string
  readonly iat: number
  readonly exp: number
  readonly jti: string
  readonly sid: string
  readonly iss: string
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

export type TokenVerdict =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly code: 'token_expired' | 'invalid_token' }

export interface TokenRules {
  readonly issuer: string
  /** Accept tokens without `sid`, `jti` and `iss`, as other stacks with the same secret make them. */
  readonly acceptLegacyTokens: boolean
}

// Far above any token made here (an address is at most 254 octets); a cap before any parsing (CVE-2025-30204).
const MAX_TOKEN_LENGTH = 4096
const HEADER = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'JWT' })).toString('base64url')
const INVALID: TokenVerdict = { ok: false, code: 'invalid_token' }
const EXPIRED: TokenVerdict = { ok: false, code: 'token_expired' }

/** The UTF-8 bytes of the shared secret, never decoded: what PyJWT does with the same string. */
export function createTokenKey(secret: string): KeyObject {
  const bytes = Buffer.from(secret, 'utf8')
  // RFC 7518 §3.2: a key of at least the size of the hash output. Also stops an empty key (CVE-2026-107720).
  if (bytes.length < 32) throw new RangeError('The token secret must have at least 32 bytes')
  return createSecretKey(bytes)
}

/** Signs an access token with HS256 (RFC 7515 §3.1 compact serialisation). */
export function signAccessToken(key: KeyObject, claims: AccessTokenClaims): string {
  const signingInput = `${HEADER}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  return `${signingInput}.${macOf(key, signingInput).toString('base64url')}`
}

/**
 * Verifies an access token and returns who it speaks for, or why it is refused.
 * The algorithm is the key's, never the token's (RFC 8725 §3.1), and nothing inside the token is looked at
 * before its signature holds (ASVS 9.1.1). Duplicate JSON names: the last one counts (RFC 7519 §4).
 */
export function verifyAccessToken(
  key: KeyObject,
  token: string,
  rules: TokenRules,
  nowMs: number,
): TokenVerdict {
  const signed = openSignature(key, token)
  if (signed === null) return INVALID
  const header = parseJsonObject(signed.header)
  const claims = parseJsonObject(signed.payload)
  if (header === null || claims === null || !isAcceptableHeader(header)) return INVALID
  return judgeClaims(claims, rules, toNumericDate(nowMs))
}

function macOf(key: KeyObject, signingInput: string): Buffer {
  return createHmac('sha256', key).update(signingInput).digest()
}

/** Splits a compact JWS and checks its signature; null when the form or the signature is wrong. */
function openSignature(key: KeyObject, token: string): { header: Buffer; payload: Buffer } | null {
  if (token.length > MAX_TOKEN_LENGTH) return null
  const parts = token.split('.', 4)
  if (parts.length !== 3) return null
  const [header, payload, signature] = parts.map(decodeCanonicalBase64url)
  if (!header || !payload || !signature) return null
  const expected = macOf(key, token.slice(0, token.lastIndexOf('.')))
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) return null
  return { header, payload }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function parseJsonObject(bytes: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(strictUtf8.decode(bytes))
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
    return value as Record<string, unknown>
  } catch {
    return null
  }
}

function isAcceptableHeader(header: Record<string, unknown>): boolean {
  if (header.alg !== 'HS256') return false
  // No extension is understood here, so any `crit` must be refused (RFC 7515 §4.1.11); `b64` needs `crit`.
  if ('crit' in header || 'b64' in header) return false
  // Another explicit type is another kind of token (RFC 8725 §3.11).
  return header.typ === undefined || (typeof header.typ === 'string' && header.typ.toUpperCase() === 'JWT')
}

function judgeClaims(claims: Record<string, unknown>, rules: TokenRules, now: number): TokenVerdict {
  const { sub, exp, nbf, iat, iss, aud, sid, jti, email } = claims
  if (!isUuid(sub) || !isFiniteNumber(exp)) return INVALID
  if (nbf !== undefined && !(isFiniteNumber(nbf) && nbf <= now)) return INVALID
  if (iat !== undefined && !isFiniteNumber(iat)) return INVALID
  // No audience is asked for, so a token meant for a named one is not for us (RFC 7519 §4.1.3).
  if (aud !== undefined) return INVALID
  if (iss !== undefined && iss !== rules.issuer) return INVALID
  if (!isNative(iss, sid, jti) && !(rules.acceptLegacyTokens && isLegacyAccessToken(claims))) return INVALID
  // RFC 7519 §4.1.4: "on or after" the time, so an equal time is expired.
  if (exp <= now) return EXPIRED
  return {
    ok: true,
    principal: {
      id: sub.toLowerCase(),
      sessionId: isUuid(sid) ? sid.toLowerCase() : null,
      tokenId: typeof jti === 'string' ? jti : null,
      email: typeof email === 'string' ? email : null,
      expiresAt: exp,
    },
  }
}

/** Made by Keyward, not by another holder of the secret: names its issuer, its session and itself. */
function isNative(iss: unknown, sid: unknown, jti: unknown): boolean {
  return iss !== undefined && isUuid(sid) && isUuid(jti)
}

/** Other stacks mark their refresh tokens by a `type`; those are not for here (RFC 8725 §3.12). */
function isLegacyAccessToken({ sid, type, token_type }: Record<string, unknown>): boolean {
  const kind = type ?? token_type ?? 'access'
  return sid === undefined && kind === 'access'
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
