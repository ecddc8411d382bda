import ipaddr from 'ipaddr.js'

const BITS_OF_A_GROUP = 16
/** Prefix length of what stands for one client (docs/limits.md). */
export const SITE_BITS = 64

/**
 * What stands for one client among addresses: an IPv4 address, also one mapped into IPv6, or the /64 of an IPv6 address,
 * of which any subscriber has all (RFC 6177). Text that is no address stands for itself.
 */
export function toAddressBlock(address: string): string {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  const { parts } = parsed as ipaddr.IPv6
  return parts
    .slice(0, SITE_BITS / BITS_OF_A_GROUP)
    .map((part) => part.toString(16))
    .join(':')
}
