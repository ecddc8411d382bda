import { expect, test } from 'vitest'
import { toAddressBlock } from '../../src/core/address-block.js'

test.each([
  ['an IPv4 address and its form in IPv6', '203.0.113.7', '::ffff:203.0.113.7'],
  ['the two spellings of that form', '::ffff:203.0.113.7', '::FFFF:CB00:7107'],
  ['an IPv4 address and its form behind NAT64', '203.0.113.7', '64:ff9b::203.0.113.7'],
  ['all spellings of that form', '64:ff9b::203.0.113.7', '0064:FF9B:0:0:0:0:CB00:7107'],
  ['the first and the last address of a /64', '2001:db8:7:1::', '2001:db8:7:1:ffff:ffff:ffff:ffff'],
  ['all spellings of an IPv6 address', '2001:db8::a', '2001:0DB8:0000:0000:0000:0000:0000:000A'],
])('one client has %s', (_, one, other) => {
  expect(toAddressBlock(one)).toBe(toAddressBlock(other))
})

test.each([
  ['neighbours in IPv4', '203.0.113.7', '203.0.113.8'],
  ['neighbours in IPv4 that come as IPv6', '::ffff:203.0.113.7', '::ffff:203.0.113.8'],
  ['neighbours in IPv4 that come through NAT64', '64:ff9b::203.0.113.7', '64:ff9b::203.0.113.8'],
  ['an IPv4 address and one beside the prefix of NAT64', '203.0.113.7', '64:ff9b::1:0:203.0.113.7'],
  ['an IPv4 address and its digits in another prefix', '203.0.113.7', '64:ff9b:1::203.0.113.7'],
  ['two /64 side by side', '2001:db8:7:1::1', '2001:db8:7:2::1'],
  ['two /64 of the same digits', '2001:db8:1:11::1', '2001:db8:11:1::1'],
  ['an IPv4 and an IPv6 address', '0.0.0.1', '::1'],
])('%s are two clients', (_, one, other) => {
  expect(toAddressBlock(one)).not.toBe(toAddressBlock(other))
})

test('behind a NAT64 with a prefix of its own, which nobody can tell from other prefixes, all are one client', () => {
  expect(toAddressBlock('64:ff9b:1::203.0.113.7')).toBe(toAddressBlock('64:ff9b:1::198.51.100.1'))
  expect(toAddressBlock('64:ff9b:1::203.0.113.7')).not.toBe(toAddressBlock('203.0.113.7'))
})

test.each(['', 'unknown', '203.0.113.256', '/run/keyward.sock'])(
  '%j, which is no address, stands for itself',
  (text) => {
    expect(toAddressBlock(text)).toBe(text)
  },
)
