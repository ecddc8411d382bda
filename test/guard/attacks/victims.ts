import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import {
  type AsymmetricAlgorithm,
  createSecret,
  type PublicJwk,
  type TokenAlgorithm,
} from '../../../src/core/signing-key.js'
import { createGuard, type GuardOptions, type LocalGuard } from '../../../src/guard/index.js'
import { CLAIMS, NOW, SECRET } from '../../core/sample-token.js'
import { newPrivateKey } from '../../support/new-key.js'

/** Text or bytes go in as they are; anything else as JSON. */
export type Part = string | Buffer | object

export const encode = (part: Part): string =>
  Buffer.from(typeof part === 'string' || Buffer.isBuffer(part) ? part : JSON.stringify(part)).toString(
    'base64url',
  )

/** A key of one algorithm, whose tokens somebody tries to forge. */
export interface Victim {
  readonly algorithm: TokenAlgorithm
  /** What its tokens begin with. */
  readonly header: Readonly<Record<string, string>>
  readonly sign: (input: string) => string
  /** A token of any content with the right signature: what no attacker could make, but a stranger's bug could. */
  readonly token: (header: Part, claims?: Part) => string
  readonly valid: string
  /** Null for the shared secret. */
  readonly pair: {
    readonly jwk: PublicJwk
    readonly publicKey: KeyObject
    readonly privateKey: KeyObject
  } | null
}

function victim(algorithm: TokenAlgorithm, sign: (input: string) => string, pair: Victim['pair']): Victim {
  const header = { alg: algorithm, typ: 'JWT', ...(pair && { kid: pair.jwk.kid }) }
  const token: Victim['token'] = (head, claims = CLAIMS) => {
    const input = `${encode(head)}.${encode(claims)}`
    return `${input}.${sign(input)}`
  }
  return { algorithm, header, sign, token, valid: token(header), pair }
}

function ofPair(algorithm: AsymmetricAlgorithm): Victim & { readonly pair: NonNullable<Victim['pair']> } {
  const key = newPrivateKey(algorithm)
  const privateKey = createPrivateKey({ key: key.toPkcs8(), format: 'der', type: 'pkcs8' })
  const pair = { jwk: key.jwk, publicKey: createPublicKey(privateKey), privateKey }
  return { ...victim(algorithm, key.sign, pair), pair }
}

export const HS256 = victim('HS256', createSecret(SECRET).sign, null)
export const EDDSA = ofPair('EdDSA')
export const ES256 = ofPair('ES256')
export const RS256 = ofPair('RS256')
export const VICTIMS: readonly Victim[] = [HS256, EDDSA, ES256, RS256]

const keysOf = (...victims: Victim[]): GuardOptions => ({
  ...(victims.includes(HS256) && { secret: SECRET }),
  keys: victims.flatMap(({ pair }) => (pair === null ? [] : [pair.jwk])),
})

/** A guard that knows this key alone. */
export const guardOf = (one: Victim, rules: Omit<GuardOptions, 'jwksUrl'> = {}): LocalGuard =>
  createGuard({ ...keysOf(one), jwksUrl: undefined, clock: () => NOW, ...rules })

/** A guard that knows them all, and takes legacy tokens too: as lax as one can be made. */
export const LAX_GUARD: LocalGuard = createGuard({
  ...keysOf(...VICTIMS),
  jwksUrl: undefined,
  clock: () => NOW,
  acceptLegacyTokens: true,
})
