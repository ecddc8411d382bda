import ipaddr from 'ipaddr.js'

const BITS_OF_A_GROUP = 16
/** How IPv4 clients look to a server that has IPv6 alone, behind a translator (RFC 6052 §2.1). */
const TRANSLATED_IPV4 = ipaddr.IPv6.parseCIDR('64:ff9b::/96')
const IPV4_BYTES = 4
/** Prefix length of what stands for one client (docs/limits.md). */
export const SITE_BITS = 64
const NETWORK_BITS = 48

/**
 * What stands for one client among addresses: an IPv4 address, also one mapped or translated into IPv6, or the /64 of an
 * IPv6 address, of which any subscriber has all (RFC 6177). Text that is no address stands for itself.
 */
export const toAddressBlock = (address: string): string => toPrefix(address, SITE_BITS)

/** The same, but the /48 of an IPv6 address: what one subscriber is given at most. */
export const toNetwork = (address: string): string => toPrefix(address, NETWORK_BITS)

function toPrefix(address: string, bits: number): string {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  if (!(parsed instanceof ipaddr.IPv6)) return parsed.toString()
  if (parsed.match(TRANSLATED_IPV4)) {
    return new ipaddr.IPv4(parsed.toByteArray().slice(-IPV4_BYTES)).toString()
  }
  return parsed.parts
    .slice(0, bits / BITS_OF_A_GROUP)
    .map((part) => part.toString(16))
    .join(':')
}
