import { domainToASCII, domainToUnicode } from 'node:url'
import { isStorableText } from './text.js'

/** An accepted address: `address` is what is stored, `lookupKeys` are all spellings that mean the same account. */
export interface Email {
  readonly address: string
  readonly lookupKeys: readonly string[]
}

// Octet limits of RFC 5321 §4.5.3.1 (local part 64, path 256 with its brackets) and RFC 1035 §2.3.4 (label 63).
const MAX_ADDRESS_OCTETS = 254
const MAX_LOCAL_PART_OCTETS = 64

// dot-atom of RFC 5322 §3.2.3, widened by letters, marks and digits of any script (RFC 6531 §3.3).
const LOCAL_PART = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u
// Checked before conversion: the URL host parser would also decode %41 and read 0x7f.1 as an IPv4 address.
const DOMAIN_CHARACTERS = /^[\p{L}\p{M}\p{N}.\u3002-]+$/u
const ASCII_DOMAIN =
  /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * Normalises an e-mail address: trimmed, NFC, lower-cased, the domain in its ASCII form (RFC 5891).
 * Two addresses that differ in letter case are one account. Returns null for an address that is not usable.
 */
export function parseEmail(input: string): Email | null {
  if (input.length > 4 * MAX_ADDRESS_OCTETS || !isStorableText(input)) return null
  const trimmed = input.trim().normalize('NFC')
  const at = trimmed.lastIndexOf('@')
  if (at < 1) return null

  const typedLocalPart = trimmed.slice(0, at)
  // Lower case can undo NFC ('İ' followed by a cedilla), and an address must be a fixed point of this function.
  const localPart = typedLocalPart.toLowerCase().normalize('NFC')
  const domain = toAsciiDomain(trimmed.slice(at + 1))
  if (domain === null || !LOCAL_PART.test(localPart)) return null
  if (Buffer.byteLength(localPart) > MAX_LOCAL_PART_OCTETS) return null

  const address = `${localPart}@${domain}`
  if (Buffer.byteLength(address) > MAX_ADDRESS_OCTETS) return null
  return { address, lookupKeys: lookupKeysOf(localPart, typedLocalPart, domain) }
}

function toAsciiDomain(domain: string): string | null {
  if (!DOMAIN_CHARACTERS.test(domain)) return null
  const ascii = domainToASCII(domain)
  return ASCII_DOMAIN.test(ascii) ? ascii : null
}

/**
 * The address as Keyward stores it, first, and as other stacks on the same table may have: an international domain in
 * its Unicode form, capitals beyond ASCII as they were typed (the index folds ASCII alone).
 */
function lookupKeysOf(localPart: string, typedLocalPart: string, domain: string): string[] {
  const asciiFolded = typedLocalPart.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  const localParts = new Set([localPart, asciiFolded])
  const domains = new Set([domain, domainToUnicode(domain)])
  return [...localParts].flatMap((local) => [...domains].map((each) => `${local}@${each}`))
}

/** The part before the `@`, as stored. */
export function localPartOf(address: string): string {
  return address.slice(0, address.lastIndexOf('@'))
}
