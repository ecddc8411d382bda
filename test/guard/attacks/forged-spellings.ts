import { CLAIMS } from '../../core/sample-token.js'
import type { Forgery } from './forged-headers.js'
import { encode, type Victim } from './victims.js'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const RESPELLINGS: [string, (segment: string) => string][] = [
  ['padding', (segment) => segment + '='.repeat(-segment.length & 3)],
  ['one sign of padding', (segment) => `${segment}=`],
  ['two signs of padding', (segment) => `${segment}==`],
  ['the standard alphabet', (segment) => segment.replaceAll('-', '+').replaceAll('_', '/')],
  ['a space in front', (segment) => ` ${segment}`],
  ['a space behind', (segment) => `${segment} `],
  ['a space inside', (segment) => `${segment.slice(0, 8)} ${segment.slice(8)}`],
  ['a line break inside', (segment) => `${segment.slice(0, 8)}\n${segment.slice(8)}`],
  ['a line break behind', (segment) => `${segment}\n`],
  ['a NUL behind', (segment) => `${segment}\u0000`],
  ['a stray character', (segment) => `${segment.slice(0, 8)}!${segment.slice(8)}`],
  ['a character too many', (segment) => `${segment}A`],
  ['a look-alike letter', (segment) => segment.replace('e', 'е')],
  [
    'flipped unused bits',
    (segment) =>
      segment.length % 4 === 0
        ? segment
        : segment.slice(0, -1) + (ALPHABET[ALPHABET.indexOf(segment.at(-1) ?? '') ^ 1] ?? ''),
  ],
]

/** One token has one spelling: else whatever goes by its text (a list of ended ones, a cache) can be walked around. */
export function respelled({ header, sign }: Victim): Forgery[] {
  // Such an address makes a payload that differs in the standard alphabet.
  const [head, claims] = [encode(header), encode({ ...CLAIMS, email: '???>>>~~~@example.com' })]
  const signature = sign(`${head}.${claims}`)
  return RESPELLINGS.flatMap(([name, respell]) => {
    const [oddHead, oddClaims, oddSignature] = [respell(head), respell(claims), respell(signature)]
    const forgeries: Forgery[] = []
    // Not every segment has every spelling.
    if (oddHead !== head)
      forgeries.push([`${name} in the header, and signed so`, signed(`${oddHead}.${claims}`)])
    if (oddClaims !== claims)
      forgeries.push([`${name} in the payload, and signed so`, signed(`${head}.${oddClaims}`)])
    // Blanks around a header's value are not part of it (RFC 9110 §5.5).
    if (oddSignature.trimEnd() !== signature)
      forgeries.push([`${name} in the signature`, `${head}.${claims}.${oddSignature}`])
    return forgeries
  })

  function signed(input: string): string {
    return `${input}.${sign(input)}`
  }
}

/** Whatever is not three parts is no token of ours (RFC 7515 §7.1), and size is judged before anything else. */
export function misshapen({ valid }: Victim): Forgery[] {
  const [head = '', payload = '', signature = ''] = valid.split('.')
  const flattened = { protected: head, payload, signature }
  const general = { payload, signatures: [{ protected: head, signature }] }
  return [
    ['the flattened JSON serialisation', JSON.stringify(flattened)],
    ['the same, encoded', encode(flattened)],
    ['the general JSON serialisation', JSON.stringify(general)],
    [
      'the same, with a header that is not protected',
      JSON.stringify({ ...general, header: { alg: 'none' } }),
    ],
    ['no first part', `.${payload}.${signature}`],
    ['a detached payload', `${head}..${signature}`],
    ['no third part', `${head}.${payload}`],
    ['a dot behind', `${valid}.`],
    ['a dot in front', `.${valid}`],
    ['a fourth part', `${valid}.${signature}`],
    ['parts in another order', `${payload}.${head}.${signature}`],
    ['nested in itself', `${head}.${encode(valid)}.${signature}`],
    ['two tokens', `${valid}.${valid}`],
    ['a list of tokens', `${valid},${valid}`],
    ['one dot', '.'],
    ['two dots', '..'],
    ['a thousand dots', '.'.repeat(1000)],
    ['a million dots', '.'.repeat(1_000_000)],
    ['a huge header', `${'A'.repeat(5_000_000)}.${payload}.${signature}`],
    ['a huge signature', `${head}.${payload}.${'A'.repeat(5_000_000)}`],
  ]
}
