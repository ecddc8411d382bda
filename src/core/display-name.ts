import { countCodePoints, isStorableText } from './text.js'

const MAX_CODE_POINTS = 200
const HAS_VISIBLE_CHARACTER = /[^\p{Z}\p{Cc}\p{Cf}]/u
const CONTROL_CHARACTER = /\p{Cc}/u

export type DisplayName = { readonly name: string } | { readonly problem: string }

/** A person's name: trimmed, Unicode NFC, 1 to 200 code points, something to see in it, no control characters. */
export function parseDisplayName(input: string): DisplayName {
  if (!isStorableText(input)) return { problem: 'contains characters that cannot be stored' }
  const name = input.trim().normalize('NFC')
  if (!HAS_VISIBLE_CHARACTER.test(name)) return { problem: 'must not be empty' }
  if (CONTROL_CHARACTER.test(name)) return { problem: 'must not contain control characters' }
  if (countCodePoints(name) > MAX_CODE_POINTS) {
    return { problem: `must have at most ${MAX_CODE_POINTS} characters` }
  }
  return { name }
}
