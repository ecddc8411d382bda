import { MIN_SECRET_BYTES } from './core/signing-key.js'
import { countCodePoints } from './core/text.js'
import { parseConnectionUrl } from './db/connection-url.js'

// What the text of a setting must be. Each throws an Error whose message completes "NAME …".

const PLACEHOLDER =
  /change[-_ ]?(me|this|it)|replace[-_ ]?(me|this)|your[-_ ][a-z0-9-_ ]*(secret|key)|^better-auth-secret/i

export function parseDatabaseUrl(url: string): string {
  parseConnectionUrl(url)
  return url
}

export const linesOf = (value: string): string[] => value.split(/\r?\n/).filter(Boolean)

/** RFC 8725 §3.5: no human-memorable or published secret. */
export function parseTokenSecret(value: string): string {
  if (Buffer.byteLength(value) < MIN_SECRET_BYTES)
    throw new Error(`must have at least ${MIN_SECRET_BYTES} bytes`)
  // U+FFFD is what bytes that are not UTF-8 (a binary file, say) have been read as.
  if (!value.isWellFormed() || /[\u0000\uFFFD]/.test(value)) throw new Error('must be valid text')
  if (PLACEHOLDER.test(value)) throw new Error('is an example value')
  if (isRepetition(value)) throw new Error('repeats itself')
  return value
}

/** It travels as a bearer token, which can hold these characters only (RFC 6750 §2.1). */
export function parseFeedToken(value: string): string {
  parseTokenSecret(value)
  if (!/^[A-Za-z0-9\-._~+/]+=*$/.test(value)) throw new Error('may hold letters, digits and -._~+/ only')
  return value
}

/** Whether the text is a shorter piece written several times over, the last time perhaps cut short. */
function isRepetition(value: string): boolean {
  for (let period = 1; period <= value.length / 2; period++) {
    if (value.startsWith(value.slice(period))) return true
  }
  return false
}

/** A token has a longest length, and must fit into it with the longest address. */
export function parseIssuer(value: string): string {
  if (value.length > 200) throw new Error('must have at most 200 characters')
  return value
}

/** The same limit, for all of them together. */
export function parseAudience(value: string): readonly string[] {
  if (Buffer.byteLength(value) > 500) throw new Error('must have at most 500 bytes')
  return parseList(value, 'audience')
}

// A shorter word stands in too many good passwords by chance.
const MIN_BANNED_WORD = 4

/** Lower-cased, as passwords are when they are looked for in them (ASVS 6.1.2). */
export function parseBannedWords(value: string): readonly string[] {
  const words = parseList(value, 'word').map((word) => word.toLowerCase())
  const short = words.find((word) => countCodePoints(word) < MIN_BANNED_WORD)
  if (short !== undefined) throw new Error(`must hold words of at least 4 characters; "${short}" has fewer`)
  return words
}

function parseList(value: string, what: string): readonly string[] {
  const items = value.split(',').map((item) => item.trim())
  if (items.includes('')) throw new Error(`must not hold an empty ${what}`)
  return items
}

/** A key put there itself, by mistake, would be printed as a file that cannot be read. */
export function parseKeyFiles(value: string): readonly string[] {
  if (/-----BEGIN|[{"\n]/.test(value)) throw new Error('must name files, not hold a key')
  return parseList(value, 'file')
}

export function parseOrigins(value: string): readonly string[] {
  const origins = value.split(',').map((origin) => origin.trim())
  return origins.filter(Boolean).map((origin) => {
    const url = URL.canParse(origin) ? new URL(origin) : null
    // A `*` is a valid host to the URL parser, but no browser ever sends one.
    if (url === null || !/^https?:$/.test(url.protocol) || url.origin !== origin || origin.includes('*')) {
      throw new Error(`must list exact origins such as https://app.example.com; "${origin}" is none`)
    }
    return origin
  })
}
