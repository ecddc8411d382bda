import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPair,
  type JsonWebKey,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto'
import { promisify } from 'node:util'
import { decodeCanonicalBase64url } from './base64url.js'

export const TOKEN_ALGORITHMS = ['HS256', 'EdDSA', 'ES256', 'RS256'] as const
/** `alg` of a token (RFC 7518 §3.1, RFC 8037 §3.1). */
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number]
export type AsymmetricAlgorithm = Exclude<TokenAlgorithm, 'HS256'>

/** Checks signatures with one key, under that key's one algorithm (RFC 8725 §3.1). */
export interface VerificationKey {
  readonly algorithm: TokenAlgorithm
  /** RFC 7638 thumbprint, which is how tokens name the key; null for a shared secret, which they don't name. */
  readonly kid: string | null
  /** `signature` is base64url; no spelling but the canonical one is right. */
  verifies(signingInput: string, signature: string): boolean
}

export interface SigningKey extends VerificationKey {
  /** The signature, as base64url. */
  sign(signingInput: string): string
}

export interface PublicKey extends VerificationKey {
  readonly algorithm: AsymmetricAlgorithm
  readonly kid: string
  /** As it is published (RFC 7517): nothing private. */
  readonly jwk: PublicJwk
}

export interface PrivateKey extends PublicKey {
  sign(signingInput: string): string
  /** DER of PKCS #8 (RFC 5208), to be sealed before it rests anywhere. */
  toPkcs8(): Buffer
}

/** A type, not an interface, so that it fits wherever node:crypto takes a JWK. */
export type PublicJwk = {
  readonly kty: string
  readonly kid: string
  readonly alg: AsymmetricAlgorithm
  readonly use: 'sig'
  readonly crv?: string
  readonly x?: string
  readonly y?: string
  readonly n?: string
  readonly e?: string
}

/** RFC 7518 §3.2: a key of at least the size of the hash output. Also stops an empty key (CVE-2026-107720). */
export const MIN_SECRET_BYTES = 32
const MIN_RSA_BITS = 3072
// A larger one makes every check slow, and its signature would not fit into a token.
const MAX_RSA_BITS = 8192
/** Below 65537, known attacks on careless implementations begin (NIST SP 800-56B §6.2). */
const MIN_RSA_EXPONENT = 65_537n

/**
 * An HS256 key: the UTF-8 bytes of the shared secret, never decoded, which is what PyJWT does with the same string.
 * Throws a RangeError for fewer than 32 bytes.
 */
export function createSecret(secret: string): SigningKey {
  const bytes = Buffer.from(secret, 'utf8')
  if (bytes.length < MIN_SECRET_BYTES)
    throw new RangeError(`The token secret must have at least ${MIN_SECRET_BYTES} bytes`)
  const key = createSecretKey(bytes)
  const macOf = (signingInput: string): string =>
    createHmac('sha256', key).update(signingInput).digest('base64url')
  return {
    algorithm: 'HS256',
    kid: null,
    sign: macOf,
    verifies(signingInput, signature) {
      // As text: only one spelling of the right MAC is equal to it. UTF-8, so that no character can pass for another.
      const expected = Buffer.from(macOf(signingInput))
      const given = Buffer.from(signature)
      return expected.length === given.length && timingSafeEqual(expected, given)
    },
  }
}

/** Throws an Error in words when the key suits none of the algorithms. */
export function importPublicKey(key: KeyObject): PublicKey {
  const algorithm = algorithmOf(key)
  const publicKey = key.type === 'public' ? key : createPublicKey(key)
  const { kty, crv, x, y, n, e } = publicKey.export({ format: 'jwk' })
  const members = Object.fromEntries(
    Object.entries({ crv, e, kty, n, x, y }).filter(([, value]) => value !== undefined),
  )
  // RFC 7638 §3: the required members in lexicographic order, without white space; for OKP keys RFC 8037 §2.
  const kid = createHash('sha256').update(JSON.stringify(members)).digest('base64url')
  return {
    algorithm,
    kid,
    jwk: { ...members, kty: String(kty), kid, alg: algorithm, use: 'sig' },
    verifies(signingInput, signature) {
      const bytes = decodeCanonicalBase64url(signature)
      return (
        bytes !== null && verify(digestOf(algorithm), Buffer.from(signingInput), optionsOf(publicKey), bytes)
      )
    },
  }
}

/** Throws an Error in words when the key suits none of the algorithms, or is put together from two. */
export function importPrivateKey(key: KeyObject): PrivateKey {
  const publicKey = importPublicKey(key)
  const { algorithm } = publicKey
  const signWith = (signingInput: string): string =>
    sign(digestOf(algorithm), Buffer.from(signingInput), optionsOf(key)).toString('base64url')
  // OpenSSL takes the two halves of a key as they come; every token of such a one would be refused.
  if (!publicKey.verifies('', signWith(''))) throw new Error('The halves of the key do not belong together')
  return { ...publicKey, sign: signWith, toPkcs8: () => key.export({ format: 'der', type: 'pkcs8' }) }
}

export const importPkcs8 = (der: Buffer): PrivateKey =>
  importPrivateKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))

/**
 * A public key from a JWK (RFC 7517). Throws an Error when it is not one for signatures, or says an algorithm that is
 * not its own. The kid is always computed, never believed.
 */
export function importPublicJwk(jwk: JsonWebKey): PublicKey {
  if (!isForSignatures(jwk)) throw new Error('The key is not for signatures')
  const key = importPublicKey(createPublicKey({ key: jwk, format: 'jwk' }))
  if (jwk.alg !== undefined && jwk.alg !== key.algorithm) throw new Error('The key is for another algorithm')
  return key
}

/** By what it says of itself (RFC 7517 §4.2 and §4.3). Where it says nothing, it may be. */
function isForSignatures({ use = 'sig', key_ops = ['verify'], d }: JsonWebKey): boolean {
  const operations: readonly unknown[] = Array.isArray(key_ops) ? key_ops : []
  return use === 'sig' && (operations.includes('verify') || (d !== undefined && operations.includes('sign')))
}

const generatePair = promisify(generateKeyPair)

/**
 * A new key of the least strength that is accepted: RSA gets 3072 bits. That can take a second or more, on a thread of its
 * own: an operator may ask a running server for it.
 */
export async function generatePrivateKey(algorithm: AsymmetricAlgorithm): Promise<PrivateKey> {
  const { privateKey } = await generateFor(algorithm)
  return importPrivateKey(privateKey)
}

function generateFor(algorithm: AsymmetricAlgorithm): Promise<{ privateKey: KeyObject }> {
  switch (algorithm) {
    case 'EdDSA':
      return generatePair('ed25519')
    case 'ES256':
      return generatePair('ec', { namedCurve: 'P-256' })
    case 'RS256':
      return generatePair('rsa', { modulusLength: MIN_RSA_BITS })
  }
}

/** The one algorithm that a key is for. */
function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): AsymmetricAlgorithm {
  const { namedCurve, modulusLength = 0, publicExponent = 0n } = asymmetricKeyDetails
  if (asymmetricKeyType === 'ed25519') return 'EdDSA'
  if (asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return 'ES256'
  if (asymmetricKeyType !== 'rsa') throw new Error('The key is neither Ed25519, P-256 nor RSA')
  if (modulusLength < MIN_RSA_BITS || modulusLength > MAX_RSA_BITS)
    throw new Error(`An RSA key must have ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits`)
  if (publicExponent < MIN_RSA_EXPONENT) throw new Error('The exponent of the RSA key is too small')
  return 'RS256'
}

const digestOf = (algorithm: AsymmetricAlgorithm): 'sha256' | null =>
  algorithm === 'EdDSA' ? null : 'sha256'

/** ECDSA signatures are R ‖ S in a JWS (RFC 7518 §3.4), not the DER that OpenSSL prefers; others ignore it. */
const optionsOf = (key: KeyObject) => ({ key, dsaEncoding: 'ieee-p1363' as const })
