import { decodeCanonicalBase64url } from './base64url.js'
import { parseJsonObject } from './json.js'
import { TOKEN_ALGORITHMS, type TokenAlgorithm } from './signing-key.js'

export const TOKEN_TYPES = ['JWT', 'at+jwt'] as const
/** `typ` of a token: plain, or explicitly an OAuth access token (RFC 9068 §2.1). */
export type TokenType = (typeof TOKEN_TYPES)[number]

/** What a token says of itself. Nothing of it is believed: it only helps to find the key to check it with. */
export interface TokenHeader {
  readonly algorithm: TokenAlgorithm
  readonly type: TokenType
  readonly kid: string | null
}

/** A RFC 7638 thumbprint; nobody needs to be asked about any other name. */
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/

/** The first part of a token (RFC 7515 §3.1). */
export function encodeHeader({ algorithm: alg, type: typ, kid }: TokenHeader): string {
  return Buffer.from(JSON.stringify(kid === null ? { alg, typ } : { alg, typ, kid })).toString('base64url')
}

/**
 * Reads the first part of a token; null when it is not one that could be acceptable. `jku`, `jwk`, `x5u` and `x5c` are
 * nobody's business here: keys come from configuration (RFC 8725 §3.10).
 */
export function parseHeader(segment: string): TokenHeader | null {
  const bytes = decodeCanonicalBase64url(segment)
  const header = bytes && parseJsonObject(bytes)
  if (!header) return null
  // No extension is understood here, so any `crit` must be refused (RFC 7515 §4.1.11); `b64` needs `crit`.
  if ('crit' in header || 'b64' in header) return null
  const algorithm = TOKEN_ALGORITHMS.find((known) => known === header.alg)
  const type = readType(header.typ)
  if (algorithm === undefined || type === null) return null
  const kid = typeof header.kid === 'string' && THUMBPRINT.test(header.kid) ? header.kid : null
  return { algorithm, type, kid }
}

/** Another explicit type is another kind of token (RFC 8725 §3.11). Media types ignore letter case (RFC 7515 §4.1.9). */
function readType(typ: unknown): TokenType | null {
  if (typ === undefined) return 'JWT'
  if (typeof typ !== 'string') return null
  switch (typ.toLowerCase()) {
    case 'jwt':
      return 'JWT'
    case 'at+jwt':
    case 'application/at+jwt':
      return 'at+jwt'
    default:
      return null
  }
}
