import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { createMemo } from './memo.js'

/**
 * Whose `X-Forwarded-For` is believed: that of so many proxies in front (0: of nobody), or that of proxies in these
 * networks (CIDR).
 */
export type ProxyTrust = number | readonly string[]

const MAX_HOPS = 10
/** Every request has few proxies to ask about, but reading an address takes microseconds. */
const REMEMBERED_PEERS = 1_000

/** Reads `off`, a number of proxies, or addresses and networks. Throws an Error that completes "TRUST_PROXY …". */
export function parseProxyTrust(text: string): ProxyTrust {
  if (text === 'off') return 0
  if (/^\d+$/.test(text)) {
    const hops = Number(text)
    if (hops < 1 || hops > MAX_HOPS) throw new Error(`must be from 1 to ${MAX_HOPS} proxies`)
    return hops
  }
  return text.split(',').map((item) => parseNetwork(item.trim()))
}

/** In its own family alone: a prefix of IPv4 addresses written as IPv6 would take in far more than it shows. */
function parseNetwork(text: string): string {
  const [address = '', prefix, ...rest] = text.split('/')
  const bits = isIP(address) === 6 ? 128 : 32
  const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN
  if (isIP(address) === 0 || address.includes('%') || rest.length > 0 || !(length <= bits)) {
    throw new Error(`must list addresses such as 10.0.0.1 or 10.0.0.0/8; "${text}" is none`)
  }
  if (length === 0) throw new Error(`must not trust everybody, as "${text}" does`)
  const parsed = ipaddr.parse(address)
  if (parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress()) {
    throw new Error(`must name IPv4 addresses in their own form, not as "${text}"`)
  }
  return `${address}/${length}`
}

/** The client's address, of the peer of the connection and the `X-Forwarded-For` it sent. */
export type ClientAddressOf = (peer: string, forwardedFor: string | undefined) => string

/**
 * Reads `X-Forwarded-For` from its end, where the nearest proxy has written, and no further than the trust reaches: what
 * stands before that is the client's own invention. An entry that is no address is never used; the last address that
 * is vouched for stands instead.
 */
export function createClientAddress(trust: ProxyTrust): ClientAddressOf {
  if (trust === 0) return (peer) => peer
  if (typeof trust === 'number') {
    return (peer, forwardedFor = '') => parseForwarded(forwardedFor.split(',').at(-trust)) ?? peer
  }
  const networks = trust.map((network) => ipaddr.parseCIDR(network))
  const isTrusted = createMemo(REMEMBERED_PEERS, (address) => isWithin(networks, address))
  return (peer, forwardedFor = '') => {
    const entries = forwardedFor.split(',')
    let client = peer
    while (isTrusted(client)) {
      const next = parseForwarded(entries.pop())
      if (next === null) break
      client = next
    }
    return client
  }
}

function isWithin(networks: readonly [ipaddr.IPv4 | ipaddr.IPv6, number][], address: string): boolean {
  if (isIP(address) === 0) return false
  const parsed = ipaddr.process(address)
  return networks.some((network) => network[0].kind() === parsed.kind() && parsed.match(network))
}

/** Some proxies add the port, as in `192.0.2.1:443` and `[2001:db8::1]:443`. */
function parseForwarded(entry = ''): string | null {
  const text = entry.trim()
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text
  return isIP(bare) === 0 || bare.includes('%') ? null : bare
}
