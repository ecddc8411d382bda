import ipaddr from 'ipaddr.js'

const BITS_OF_A_GROUP = 16
/** Prefix length of what stands for one client (docs/limits.md). */
export const SITE_BITS = 64
/** Under which NAT64 puts IPv4 addresses into the last 32 bits of IPv6 ones (RFC 6052 §2.1). */
const NAT64_PREFIX = ipaddr.IPv6.parseCIDR('64:ff9b::/96')
const IPV4_BYTES = 4

/**
 * What stands for one client among addresses: an IPv4 address, also one mapped or translated into IPv6, or the /64 of an
 * IPv6 address, of which any subscriber has all (RFC 6177). Text that is no address stands for itself.
 */
export function toAddressBlock(address: string): string {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  if (!(parsed instanceof ipaddr.IPv6)) return parsed.toString()
  if (parsed.match(NAT64_PREFIX)) return new ipaddr.IPv4(parsed.toByteArray().slice(-IPV4_BYTES)).toString()
  return parsed.parts
    .slice(0, SITE_BITS / BITS_OF_A_GROUP)
    .map((part) => part.toString(16))
    .join(':')
}
