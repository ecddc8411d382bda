/** A segment of a compact JWS: the base64url alphabet only, no padding, at least one character (RFC 7515 §2). */
const SEGMENT = /^[A-Za-z0-9_-]+$/

/**
 * Decodes base64url and refuses every spelling but the canonical one. Node's decoder ignores stray characters,
 * padding and unused low bits; accepting those would give one token many spellings.
 */
export function decodeCanonicalBase64url(segment: string): Buffer | null {
  if (!SEGMENT.test(segment)) return null
  const bytes = Buffer.from(segment, 'base64url')
  return bytes.toString('base64url') === segment ? bytes : null
}
