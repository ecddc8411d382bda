/**
 * Decodes base64url (RFC 7515 §2: no padding, at least one character) and refuses every spelling but the canonical one.
 * Node's decoder ignores stray characters, padding and unused low bits; accepting those would give one token many
 * spellings. Written back, only the canonical one is what it was.
 */
export function decodeCanonicalBase64url(segment: string): Buffer | null {
  const bytes = Buffer.from(segment, 'base64url')
  return segment !== '' && bytes.toString('base64url') === segment ? bytes : null
}
