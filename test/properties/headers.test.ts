import { isIP } from 'node:net'
import fc from 'fast-check'
import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { toAddressBlock } from '../../src/core/address-block.js'
import { readBearerToken, soleAuthorization } from '../../src/core/bearer.js'
import { createClientAddress, parseProxyTrust } from '../../src/core/client-address.js'

/** RFC 6750 §2.1, read by hand: scheme, blanks, token, blanks. */
function readByHand(header: string): string | null {
  if (header.slice(0, 6).toLowerCase() !== 'bearer' || header[6] !== ' ') return null
  let [start, end] = [6, header.length]
  while (header[start] === ' ') start++
  while (end > start && header[end - 1] === ' ') end--
  const token = header.slice(start, end)
  const isCharacter = (letter: string): boolean => /[A-Za-z0-9._~+/-]/.test(letter)
  const unpadded = Array.from(token.replace(/=+$/, ''))
  return unpadded.length > 0 && unpadded.every(isCharacter) ? token : null
}

test('a bearer token is found where RFC 6750 puts it, and nowhere else', () => {
  const header = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          'Bearer',
          'bearer',
          'BEARER',
          'Basic',
          ' ',
          '  ',
          '\t',
          '=',
          ',',
          '.',
          'é',
          '\u212a',
          '\n',
        ),
        fc.string({ unit: fc.constantFrom(...Array.from('aZ0-._~+/=')), minLength: 1, maxLength: 8 }),
        fc.string({ unit: 'binary', maxLength: 3 }),
      ),
      { maxLength: 6 },
    )
    .map((parts) => parts.join(''))
  const likely = fc.oneof(
    header,
    header.map((rest) => `Bearer ${rest}`),
  )
  let found = 0
  fc.assert(
    fc.property(likely, (text) => {
      const token = readBearerToken(text)
      expect(token).toBe(readByHand(text))
      if (token !== null) found++
    }),
    { numRuns: 5_000 },
  )
  expect(found).toBeGreaterThan(200)
})

test('of several Authorization headers none is used, in whatever letter case and order they come', () => {
  const name = fc.constantFrom(
    'Authorization',
    'authorization',
    'AUTHORIZATION',
    'Authorisation',
    'Cookie',
    '',
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.string())), (headers) => {
      const values = headers
        .filter(([each]) => each.toLowerCase() === 'authorization')
        .map(([, value]) => value)
      const expected = values.length > 1 ? '' : values[0]
      expect(soleAuthorization(headers.flat(), values[0])).toBe(expected)
    }),
  )
})

const proxy = fc.ipV4().map((address) => address.replace(/^\d+/, '10'))
const stranger = fc.oneof(fc.ipV4(), fc.ipV6()).filter((address) => !address.startsWith('10.'))
const address = fc.oneof(proxy, stranger)
const invented = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    'unknown',
    '',
    '_hidden',
    '127.0.0.1',
    '::1',
    '[::1]:80',
    '10.0.0.1:1',
    '1e3',
    '0x7f.1',
    'fe80::1%1',
  ),
)
const NETWORK = '10.0.0.0/8'

test('what a client writes before the entries of trusted proxies changes nothing', () => {
  fc.assert(
    fc.property(
      invented,
      stranger,
      fc.array(proxy, { maxLength: 3 }),
      proxy,
      (lie, client, proxies, peer) => {
        const honest = [client, ...proxies].join(', ')
        for (const trust of [NETWORK, String(proxies.length + 1)]) {
          const addressOf = createClientAddress(parseProxyTrust(trust))
          expect(addressOf(peer, honest)).toBe(client)
          expect(addressOf(peer, `${lie}, ${honest}`)).toBe(client)
        }
      },
    ),
    { numRuns: 2_000 },
  )
})

test('the client is always the peer or an address, never text', () => {
  const header = fc.array(fc.oneof(invented, address)).map((entries) => entries.join(','))
  const trust = fc.constantFrom('off', '1', '2', '10', NETWORK, '::/1', '10.0.0.0/8,2001:db8::/32')
  fc.assert(
    fc.property(
      trust,
      fc.oneof(address, fc.constant('')),
      fc.option(header, { nil: undefined }),
      (by, peer, text) => {
        const client = createClientAddress(parseProxyTrust(by))(peer, text)
        expect(client === peer || (isIP(client) !== 0 && by !== 'off')).toBe(true)
        expect(toAddressBlock(client)).not.toMatch(/[^\da-f.:]/)
      },
    ),
    { numRuns: 2_000 },
  )
})

test('where every entry is an address, the client is the one that Fastify finds', async () => {
  const servers = [NETWORK, '10.0.0.0/9', '10.1.2.3'].map((trust) => {
    const app = Fastify({ trustProxy: trust })
    app.get('/', async ({ ip }) => ip)
    return { app, addressOf: createClientAddress(parseProxyTrust(trust)) }
  })
  const entries = fc.array(fc.oneof({ weight: 3, arbitrary: proxy }, fc.constant('10.1.2.3'), stranger))
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...servers),
      address,
      entries,
      async ({ app, addressOf }, peer, list) => {
        const headers = list.length > 0 ? { 'x-forwarded-for': list.join(', ') } : {}
        const { payload } = await app.inject({ url: '/', remoteAddress: peer, headers })
        expect(addressOf(peer, headers['x-forwarded-for'])).toBe(payload)
      },
    ),
    { numRuns: 500 },
  )
  for (const { app } of servers) await app.close()
})
