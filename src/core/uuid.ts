const WORDS = 4
const UUID_LENGTH = 36
const HYPHEN = 45

/** Character code → value of a hexadecimal digit; -1 for every other character there is. */
const HEX_DIGITS = new Int8Array(0x1_0000).fill(-1)
for (let value = 0; value < 16; value++) {
  const digit = value.toString(16)
  HEX_DIGITS[digit.charCodeAt(0)] = value
  HEX_DIGITS[digit.toUpperCase().charCodeAt(0)] = value
}

const digitAt = (text: string, at: number): number => HEX_DIGITS[text.charCodeAt(at)] as number

/** The value of four hexadecimal digits; negative when one of them is none, because -1 stays negative when shifted. */
const fourDigits = (text: string, at: number): number =>
  (digitAt(text, at) << 12) |
  (digitAt(text, at + 1) << 8) |
  (digitAt(text, at + 2) << 4) |
  digitAt(text, at + 3)

const isHyphen = (text: string, at: number): boolean => text.charCodeAt(at) === HYPHEN

/**
 * Reads a UUID (RFC 9562 §4, in any letter case) into four 32-bit words; false if it is none. It makes no strings: it is on
 * the way of every request, several times.
 */
export function readUuid(text: string, words: Uint32Array): boolean {
  if (text.length !== UUID_LENGTH) return false
  if (!(isHyphen(text, 8) && isHyphen(text, 13) && isHyphen(text, 18) && isHyphen(text, 23))) return false
  const [a, b, c, d] = [fourDigits(text, 0), fourDigits(text, 4), fourDigits(text, 9), fourDigits(text, 14)]
  const [e, f, g, h] = [
    fourDigits(text, 19),
    fourDigits(text, 24),
    fourDigits(text, 28),
    fourDigits(text, 32),
  ]
  if ((a | b | c | d | e | f | g | h) < 0) return false
  words[0] = (a << 16) | b
  words[1] = (c << 16) | d
  words[2] = (e << 16) | f
  words[3] = (g << 16) | h
  return true
}

/** The same from the 16 bytes of a UUID; false if they are not 16. */
export function readUuidBytes(bytes: Uint8Array, words: Uint32Array): boolean {
  if (bytes.length !== 16) return false
  const byteAt = (at: number): number => bytes[at] as number
  for (let word = 0; word < WORDS; word++) {
    const at = word * 4
    words[word] = (byteAt(at) << 24) | (byteAt(at + 1) << 16) | (byteAt(at + 2) << 8) | byteAt(at + 3)
  }
  return true
}

/** Four words as a UUID in small letters. */
export function formatUuid(words: Uint32Array): string {
  const hex = Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

const scratch = new Uint32Array(WORDS)

export const isUuid = (value: unknown): value is string =>
  typeof value === 'string' && readUuid(value, scratch)
