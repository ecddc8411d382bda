import fc from 'fast-check'
import { CLAIMS, NOW_SECONDS } from '../../core/sample-token.js'
import { EDDSA, ES256, HS256, RS256, type Victim, VICTIMS } from '../attacks/victims.js'
import { BENCHES, type Bench } from './oracle.js'

/** An object as JSON text, name by name, so that names may come twice and values need not be JSON. */
type Members = readonly (readonly [name: string, json: string])[]
const membersOf = (object: object): Members =>
  Object.entries(object).map(([name, value]) => [name, JSON.stringify(value)])
const toText = (members: Members): string =>
  `{${members.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`

/** Mostly nothing: with many changes at once, hardly a token would be right enough for anyone. */
const seldom = <T>(arbitrary: fc.Arbitrary<T>, nothing: T): fc.Arbitrary<T> =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(nothing) }, { weight: 1, arbitrary })

const json = (...values: unknown[]): string[] => values.map((value) => JSON.stringify(value))
const ANYTHING = json(null, true, false, 0, 1, -1, '', 'x', [], [null], {}, 'A'.repeat(43))
const KIDS = json(...[EDDSA, ES256, RS256].map(({ pair }) => pair.jwk.kid))
const HEADER_VALUES: Record<string, string[]> = {
  alg: json('HS256', 'EdDSA', 'ES256', 'RS256', 'none', 'HS512', 'PS256', 'hs256', 'Ed25519'),
  typ: json('JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt', 'application/jwt', 'refresh+jwt', [
    'JWT',
  ]),
  kid: KIDS,
  crit: json(['b64'], ['exp'], ['x'], 'b64'),
  b64: json(true, false),
  jku: json('http://127.0.0.1:1/'),
  jwk: json(EDDSA.pair.jwk),
  cty: json('JWT'),
  ['__proto__']: [],
}
const TIMES = [-1e6, -1, -0.5, 0, 0.5, 1, 1e6].map((away) => String(NOW_SECONDS + away))
const NUMBERS = [...TIMES, '1e400', '-1e400', '1e308', '-0', '"1"', `"${CLAIMS.exp}"`]
const IDS = json(
  CLAIMS.sub.toUpperCase(),
  CLAIMS.sub.replaceAll('-', ''),
  `${CLAIMS.sub} `,
  `{${CLAIMS.sub}}`,
  'ada',
)
const CLAIM_VALUES: Record<string, string[]> = {
  exp: NUMBERS,
  nbf: NUMBERS,
  iat: NUMBERS,
  sub: IDS,
  sid: IDS,
  jti: IDS,
  iss: json('keyward', 'Keyward', 'keyward ', ['keyward']),
  aud: json('api', 'API', ['api'], ['x', 'api'], ['x'], 'x'),
  email: json('ada@example.com', '\ud800', 'x'.repeat(4000)),
}

/** Replaces, adds, takes away or doubles a member. */
function changed(values: Record<string, string[]>): fc.Arbitrary<(members: Members) => Members> {
  return fc.constantFrom(...Object.keys(values)).chain((name) => {
    const value = fc.constantFrom(...(values[name] ?? []), ...ANYTHING)
    const without = (members: Members): Members => members.filter(([each]) => each !== name)
    return fc.oneof(
      value.map(
        (text) =>
          (members: Members): Members => [...without(members), [name, text]],
      ),
      value.map(
        (text) =>
          (members: Members): Members => [...members, [name, text]],
      ),
      value.map(
        (text) =>
          (members: Members): Members => [[name, text], ...members],
      ),
      fc.constant(without),
    )
  })
}

const changedBytes: fc.Arbitrary<(bytes: Buffer) => Buffer> = fc.oneof(
  fc.tuple(fc.nat(400), fc.nat(255)).map(([at, value]) => (bytes: Buffer): Buffer => {
    const copy = Buffer.from(bytes)
    copy[at % Math.max(1, copy.length)] = value
    return copy
  }),
  fc.constantFrom('\ufeff', ' ', '\n', '\u0000', '[').map(
    (text) =>
      (bytes: Buffer): Buffer =>
        Buffer.concat([Buffer.from(text), bytes]),
  ),
  fc.constantFrom(' ', '\n', '{}', ',', '\u0000').map(
    (text) =>
      (bytes: Buffer): Buffer =>
        Buffer.concat([bytes, Buffer.from(text)]),
  ),
  // Inside of a text, a byte that is no UTF-8.
  fc.constant((bytes: Buffer): Buffer => {
    const at = bytes.indexOf('@')
    return at < 0 ? bytes : Buffer.concat([bytes.subarray(0, at), Buffer.from([0xff]), bytes.subarray(at)])
  }),
  fc.constant((bytes: Buffer): Buffer => Buffer.from(bytes.toString(), 'utf16le')),
)

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const respelled: fc.Arbitrary<(segment: string) => string> = fc.oneof(
  fc.constantFrom(
    (segment: string) => segment + '='.repeat(-segment.length & 3),
    (segment: string) => segment.replaceAll('-', '+').replaceAll('_', '/'),
    (segment: string) => segment.slice(0, -1) + (ALPHABET[ALPHABET.indexOf(segment.at(-1) ?? '') ^ 1] ?? ''),
  ),
  fc
    .tuple(fc.nat(600), fc.constantFrom(' ', '\n', '\t', '=', '!', 'A', '.', 'é'))
    .map(([at, character]) => (segment: string): string => {
      const index = at % (segment.length + 1)
      return segment.slice(0, index) + character + segment.slice(index)
    }),
)

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
/** The other signature of the same text that ECDSA has; for other algorithms, nonsense. */
function mirrored(signature: Buffer): Buffer {
  const s = P256_ORDER - BigInt(`0x${signature.subarray(32, 64).toString('hex').padStart(64, '0')}`)
  if (s < 0n) return signature
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')])
}

const changedSignature: fc.Arbitrary<(signature: Buffer) => Buffer> = fc.oneof(
  changedBytes,
  fc.constantFrom(
    mirrored,
    (signature: Buffer) => Buffer.alloc(signature.length),
    (signature: Buffer) => signature.subarray(0, -1),
    (signature: Buffer) => Buffer.concat([signature, Buffer.alloc(1)]),
    (signature: Buffer) => signature.subarray(0, signature.length / 2),
    () => Buffer.alloc(0),
  ),
)

const changedText: fc.Arbitrary<(token: string) => string> = fc.oneof(
  fc
    .tuple(fc.nat(2000), fc.constantFrom(...Array.from(ALPHABET), '.', '=', '+', '/', ' ', '\n', 'é'))
    .map(([at, character]) => (token: string): string => {
      const index = at % token.length
      return token.slice(0, index) + character + token.slice(index + 1)
    }),
  fc.nat(2000).map((at) => (token: string): string => {
    const index = at % token.length
    return token.slice(0, index) + token.slice(index + 1)
  }),
  fc.shuffledSubarray([0, 1, 2, 0], { minLength: 2 }).map(
    (order) =>
      (token: string): string =>
        order.map((index) => token.split('.')[index]).join('.'),
  ),
  fc.constantFrom(
    (token: string) => `${token}.`,
    (token: string) => `${token} `,
    (token: string) => `.${token}`,
  ),
)

const untouched = <T>(value: T): T => value

export interface Case {
  readonly bench: Bench
  readonly token: string
}

/** A valid token of any key, changed in any of the places where it can be changed, before it is signed and after. */
export const mutatedToken: fc.Arbitrary<Case> = fc
  .record({
    bench: fc.constantFrom(...BENCHES),
    stranger: seldom<Victim | null>(fc.constantFrom(...VICTIMS), null),
    header: seldom(fc.array(changed(HEADER_VALUES), { minLength: 1, maxLength: 2 }), []),
    claims: seldom(fc.array(changed(CLAIM_VALUES), { minLength: 1, maxLength: 2 }), []),
    headerBytes: seldom(changedBytes, untouched),
    claimsBytes: seldom(changedBytes, untouched),
    signatureBytes: seldom(changedSignature, untouched),
    signedSpelling: seldom(fc.tuple(fc.nat(1), respelled), null),
    spelling: seldom(fc.tuple(fc.nat(2), respelled), null),
    text: seldom(changedText, untouched),
    pick: fc.nat(3),
  })
  .map(({ bench, stranger, pick, ...changes }) => {
    const members = [HS256, EDDSA, ES256, RS256].filter(({ algorithm }) => bench.ring.includes(algorithm))
    const owner = members[pick % members.length] ?? HS256
    const type = bench.setup.type && { typ: bench.setup.type }
    const head = changes.header.reduce((all, change) => change(all), membersOf({ ...owner.header, ...type }))
    const audience = bench.setup.audience && { aud: bench.setup.audience }
    const body = changes.claims.reduce((all, change) => change(all), membersOf({ ...CLAIMS, ...audience }))
    const segments = [
      changes.headerBytes(Buffer.from(toText(head))).toString('base64url'),
      changes.claimsBytes(Buffer.from(toText(body))).toString('base64url'),
    ]
    respell(segments, changes.signedSpelling)
    const signature = Buffer.from((stranger ?? owner).sign(segments.join('.')), 'base64url')
    segments.push(changes.signatureBytes(signature).toString('base64url'))
    respell(segments, changes.spelling)
    return { bench, token: changes.text(segments.join('.')) }
  })

function respell(segments: string[], how: [number, (segment: string) => string] | null): void {
  if (how !== null) segments[how[0]] = how[1](segments[how[0]] ?? '')
}
