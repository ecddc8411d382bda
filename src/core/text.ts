/**
 * Text that PostgreSQL can store and every client can read back: no U+0000, no lone surrogate.
 * Without this, two different lone surrogates would reach the password hash as one replacement character.
 */
export function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\u0000')
}

/** Length as people count it: code points, not UTF-16 units (NIST SP 800-63B-4 §3.1.1.2). */
export function countCodePoints(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}
