import { describe, expect, test } from 'vitest'
import { createClientAddress, parseProxyTrust } from '../../src/core/client-address.js'

const addressOf = (trust: string, peer: string, forwardedFor?: string): string =>
  createClientAddress(parseProxyTrust(trust))(peer, forwardedFor)

describe('with TRUST_PROXY=off', () => {
  test.for(['203.0.113.1', '203.0.113.1, 10.0.0.1', 'unknown', '', ','])(
    'the peer is the client, whatever it says: %j',
    (forwardedFor) => {
      expect(addressOf('off', '192.0.2.1', forwardedFor)).toBe('192.0.2.1')
    },
  )
})

describe('behind a number of proxies', () => {
  test.for([
    ['1', '203.0.113.1', '203.0.113.1'],
    ['1', 'forged, 198.51.100.9, 203.0.113.1', '203.0.113.1'],
    ['10', '203.0.113.1, 2, 3, 4, 5, 6, 7, 8, 9, 10.0.0.2', '203.0.113.1'],
    ['2', '203.0.113.1, 10.0.0.2', '203.0.113.1'],
    ['2', '198.51.100.9, 203.0.113.1, 10.0.0.2', '203.0.113.1'],
    ['1', ' 203.0.113.1:50123 ', '203.0.113.1'],
    ['1', '[2001:db8::1]:443', '2001:db8::1'],
    ['1', '[2001:db8::1]', '2001:db8::1'],
    ['1', '::ffff:203.0.113.1', '::ffff:203.0.113.1'],
  ] as const)('%s: of %j, %s is the client', ([trust, forwardedFor, client]) => {
    expect(addressOf(trust, '10.0.0.1', forwardedFor)).toBe(client)
  })

  test.for([
    ['1', undefined],
    ['1', ''],
    ['2', '203.0.113.1'],
    ['1', '203.0.113.1,'],
    ['1', '203.0.113.1, unknown'],
    ['1', '203.0.113.256'],
    ['1', '0x7f.1'],
    ['1', '2130706433'],
    ['1', 'fe80::1%eth0'],
    ['1', '010.0.0.1'],
    ['1', '203.0.113.1\u0000'],
    ['1', '[203.0.113.1'],
    ['1', 'x[2001:db8::1]:443'],
    ['1', '[2001:db8::1]:443x'],
    ['1', 'x203.0.113.1:443'],
    ['1', '203.0.113.1:443x'],
    ['1', '"203.0.113.1"'],
    ['1', "'; drop table users --"],
    ['1', '__proto__'],
  ] as const)('%s: where %j names no client, the peer is it', ([trust, forwardedFor]) => {
    expect(addressOf(trust, '10.0.0.1', forwardedFor)).toBe('10.0.0.1')
  })
})

describe('behind proxies of known addresses', () => {
  const TRUST = '10.0.0.0/8, 192.0.2.7, 2001:db8:1::/48'

  test.for([
    ['10.1.2.3', '203.0.113.1', '203.0.113.1'],
    ['::ffff:10.1.2.3', '203.0.113.1', '203.0.113.1'],
    ['2001:db8:1:9::1', '203.0.113.1', '203.0.113.1'],
    ['10.1.2.3', '198.51.100.9, 203.0.113.1, 192.0.2.7, 10.0.0.9', '203.0.113.1'],
    ['10.1.2.3', '10.0.0.5, 10.0.0.9', '10.0.0.5'],
    ['10.1.2.3', undefined, '10.1.2.3'],
    ['10.1.2.3', '203.0.113.1, unknown, 10.0.0.9', '10.0.0.9'],
  ] as const)('of peer %s and %j, %s is the client', ([peer, forwardedFor, client]) => {
    expect(addressOf(TRUST, peer, forwardedFor)).toBe(client)
  })

  test.for(['192.0.2.8', '11.0.0.1', '2001:db8:2::1', '::1', '::ffff:11.0.0.1', ''])(
    'another peer is the client itself: %s',
    (peer) => {
      expect(addressOf(TRUST, peer, '203.0.113.1')).toBe(peer)
    },
  )

  test('however many peers there have been, each is judged by its own address', () => {
    const clientOf = createClientAddress(parseProxyTrust('10.0.0.0/8'))
    const numbers = Array.from({ length: 1_500 }, (_, i) => `${Math.floor(i / 250)}.${i % 250}`)
    for (let round = 0; round < 2; round++) {
      for (const number of numbers) {
        expect(clientOf(`10.0.${number}`, '203.0.113.1')).toBe('203.0.113.1')
        expect(clientOf(`11.0.${number}`, '203.0.113.1')).toBe(`11.0.${number}`)
      }
    }
  })

  test('a network of IPv6 addresses takes in no IPv4 address', () => {
    expect(addressOf('::/1', '203.0.113.1', '198.51.100.1')).toBe('203.0.113.1')
  })
})

test.for([
  ['0', 'from 1 to 10'],
  ['11', 'from 1 to 10'],
  ['on', '"on" is none'],
  ['true', '"true" is none'],
  ['loopback', '"loopback" is none'],
  ['10.0.0.1,', '"" is none'],
  ['10.0.0.0/33', 'is none'],
  ['10.0.0.0/-1', 'is none'],
  ['10.0.0.0/8/8', 'is none'],
  ['10.0.0.0/1e1', 'is none'],
  ['10.0.0', 'is none'],
  ['fe80::1%eth0', 'is none'],
  ['proxy.example.com', 'is none'],
  ['0.0.0.0/0', 'must not trust everybody'],
  ['::/0', 'must not trust everybody'],
  ['::ffff:10.0.0.0/8', 'in their own form'],
  ['::ffff:10.0.0.0/104', 'in their own form'],
] as const)('TRUST_PROXY=%s is refused', ([text, words]) => {
  expect(() => parseProxyTrust(text)).toThrow(words)
})
