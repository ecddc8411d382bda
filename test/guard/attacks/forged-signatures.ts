import { constants, createHash, type KeyObject, privateEncrypt, sign } from 'node:crypto'
import { CLAIMS } from '../../core/sample-token.js'
import type { Forgery } from './forged-headers.js'
import { encode, type Victim } from './victims.js'

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const ED25519_ORDER = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n
/** Points of small order, and other spellings of them (Chalkias et al., "Taming the many EdDSAs", 2020). */
const SMALL_ORDER_POINTS = [
  `01${'00'.repeat(31)}`,
  `01${'00'.repeat(30)}80`,
  `ec${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
  '00'.repeat(32),
  `${'00'.repeat(31)}80`,
  `ed${'ff'.repeat(30)}7f`,
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
]

const bigEndian = (value: bigint, size: number): Buffer =>
  Buffer.from(value.toString(16).padStart(size * 2, '0'), 'hex')
const toInteger = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`)
const reversed = (bytes: Buffer): Buffer => Buffer.from(bytes.toReversed())
const littleEndian = (value: bigint, size: number): Buffer => reversed(bigEndian(value, size))

/** What is wrong with the bytes of a signature, whatever the algorithm. */
function damaged(right: Buffer): [string, Buffer][] {
  const flipped = (at: number): Buffer => {
    const copy = Buffer.from(right)
    copy[at] = (copy[at] ?? 0) ^ 1
    return copy
  }
  return [
    ['of zeros', Buffer.alloc(right.length)],
    ['of ones', Buffer.alloc(right.length, 0xff)],
    ['of one byte', right.subarray(0, 1)],
    ['cut by a byte', right.subarray(0, -1)],
    ['without its first byte', right.subarray(1)],
    ['cut in half', right.subarray(0, right.length / 2)],
    ['with a zero behind', Buffer.concat([right, Buffer.alloc(1)])],
    ['with a zero in front', Buffer.concat([Buffer.alloc(1), right])],
    ['twice', Buffer.concat([right, right])],
    ['backwards', reversed(right)],
    ['with its first bit flipped', flipped(0)],
    ['with its last bit flipped', flipped(right.length - 1)],
  ]
}

/** CVE-2022-21449 and its kin: R and S out of range, and encodings that are not R ‖ S (RFC 7518 §3.4). */
function wrongForEs256(input: string, right: Buffer, privateKey: KeyObject): [string, Buffer][] {
  const n = P256_ORDER
  const [r, s] = [toInteger(right.subarray(0, 32)), toInteger(right.subarray(32))]
  const pairs: [bigint, bigint][] = [
    ...[0n, 1n, n - 1n, n, n + 1n].flatMap((a) => [0n, 1n, n].map((b): [bigint, bigint] => [a, b])),
    [r, 0n],
    [0n, s],
    [s, r],
  ]
  return [
    ...pairs.map(([a, b]): [string, Buffer] => [
      `r = ${a}, s = ${b}`,
      Buffer.concat([bigEndian(a, 32), bigEndian(b, 32)]),
    ]),
    ['in DER', sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'der' })],
    ['over SHA-384', sign('sha384', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })],
  ]
}

/** RFC 8032 §5.1.7: S must be below the order, or one signature has many spellings. */
function wrongForEdDsa(input: string, right: Buffer, privateKey: KeyObject): [string, Buffer][] {
  const r = right.subarray(0, 32)
  const s = toInteger(reversed(right.subarray(32)))
  const multiples = [1n, 2n, 7n].filter((times) => s + times * ED25519_ORDER < 2n ** 256n)
  return [
    ...multiples.map((times): [string, Buffer] => [
      `S + ${times} L`,
      Buffer.concat([r, littleEndian(s + times * ED25519_ORDER, 32)]),
    ]),
    ...SMALL_ORDER_POINTS.flatMap((point): [string, Buffer][] => [
      [`R = ${point}, S = 0`, Buffer.concat([Buffer.from(point, 'hex'), Buffer.alloc(32)])],
      [`R = ${point}, S = L`, Buffer.concat([Buffer.from(point, 'hex'), littleEndian(ED25519_ORDER, 32)])],
    ]),
    ['over the hash', sign(null, createHash('sha512').update(input).digest(), privateKey)],
  ]
}

/** Another padding, another hash, or none of what PKCS #1 v1.5 puts around it (RFC 8017 §8.2). */
function wrongForRs256(input: string, right: Buffer, privateKey: KeyObject): [string, Buffer][] {
  const modulus = toInteger(Buffer.from(String(privateKey.export({ format: 'jwk' }).n), 'base64url'))
  const hash = createHash('sha256').update(input).digest()
  const padded = (content: Buffer): Buffer =>
    privateEncrypt({ key: privateKey, padding: constants.RSA_PKCS1_PADDING }, content)
  const saltLengths = [constants.RSA_PSS_SALTLEN_DIGEST, constants.RSA_PSS_SALTLEN_MAX_SIGN, 0]
  return [
    ...saltLengths.map((saltLength): [string, Buffer] => [
      `PSS with a salt of ${saltLength}`,
      sign('sha256', Buffer.from(input), {
        key: privateKey,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength,
      }),
    ]),
    ...['sha1', 'sha384', 'sha512'].map((name): [string, Buffer] => [
      `over ${name}`,
      sign(name, Buffer.from(input), privateKey),
    ]),
    ['of the bare hash', padded(hash)],
    [
      'of the hash behind an algorithm without parameters',
      padded(Buffer.concat([Buffer.from('302f300b06096086480165030402010420', 'hex'), hash])),
    ],
    [
      'of the hash with something behind',
      padded(
        Buffer.concat([Buffer.from('3031300d060960864801650304020105000420', 'hex'), hash, Buffer.alloc(8)]),
      ),
    ],
    ['with the modulus added', bigEndian(toInteger(right) + modulus, right.length + 1)],
    ['1', bigEndian(1n, right.length)],
    ['n', bigEndian(modulus, right.length)],
    ['n - 1', bigEndian(modulus - 1n, right.length)],
  ]
}

export function withWrongSignatures({ algorithm, header, sign: signRightly, pair }: Victim): Forgery[] {
  const input = `${encode(header)}.${encode(CLAIMS)}`
  const right = Buffer.from(signRightly(input), 'base64url')
  const wrong = damaged(right)
  if (pair !== null) {
    const special = { EdDSA: wrongForEdDsa, ES256: wrongForEs256, RS256: wrongForRs256 }
    wrong.push(...special[pair.jwk.alg](input, right, pair.privateKey))
  }
  return wrong.map(
    ([name, bytes]): Forgery => [
      `an ${algorithm} signature ${name}`,
      `${input}.${bytes.toString('base64url')}`,
    ],
  )
}
