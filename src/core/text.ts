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

/** Controls, C1 included; the separators U+2028 and U+2029; bidirectional controls; halves of surrogate pairs. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/gu

/**
 * One line that stays one line and is only looked at, whatever reads it: a terminal obeys some of these characters, and
 * viewers of logs break lines at others (ASVS 16.4.1). JSON means the same afterwards (RFC 8259 §7).
 */
export function escapeControls(line: string): string {
  return line.replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** The same for text that has several lines. */
export const escapeControlsInLines = (text: string): string => text.split('\n').map(escapeControls).join('\n')
