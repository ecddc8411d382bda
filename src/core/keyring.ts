import { encodeHeader, TOKEN_TYPES, type TokenHeader } from './token-header.js'
import type {
  PrivateKey,
  PublicJwk,
  PublicKey,
  SigningKey,
  TokenAlgorithm,
  VerificationKey,
} from './signing-key.js'

/** A key and its place in time, in milliseconds since the epoch. It verifies before, while and after it signs. */
export interface RingKey {
  readonly key: PublicKey | PrivateKey
  /** `Infinity` for a key that only verifies. */
  readonly signsFrom: number
  /** `Infinity` while nothing replaces it. */
  readonly verifiesUntil: number
}

/** Every key that a token may be signed with. It never changes; what changes is which keyring is in use. */
export interface Keyring {
  /** The headers that tokens of these keys usually have, by their encoding, so that those need no parsing. */
  readonly usualHeaders: ReadonlyMap<string, TokenHeader>
  /** HS256 secrets: the first may sign, all verify. */
  readonly secrets: readonly SigningKey[]
  /** By kid. */
  readonly keys: ReadonlyMap<string, RingKey>
}

/** A guard takes no larger set, so no larger one may come to be. */
export const MAX_PUBLIC_KEYS = 32

export function createKeyring(secrets: readonly SigningKey[], keys: readonly RingKey[] = []): Keyring {
  const usualHeaders = [...secrets.slice(0, 1), ...keys.map(({ key }) => key)].flatMap(({ algorithm, kid }) =>
    TOKEN_TYPES.map((type): TokenHeader => ({ algorithm, type, kid })),
  )
  return {
    usualHeaders: new Map(usualHeaders.map((header) => [encodeHeader(header), header])),
    secrets,
    keys: new Map(keys.map((each) => [each.key.kid, each])),
  }
}

/**
 * The key that signs at this time: of those with the algorithm, the one whose turn began last. Before the turn of the
 * first (this machine's clock is slow), that one. Null when there is none.
 */
export function signingKeyAt(
  { secrets, keys }: Keyring,
  algorithm: TokenAlgorithm,
  nowMs: number,
): SigningKey | null {
  if (algorithm === 'HS256') return secrets[0] ?? null
  const candidates = [...keys.values()]
    .filter(({ key, signsFrom }) => key.algorithm === algorithm && signsFrom !== Number.POSITIVE_INFINITY)
    .sort((a, b) => a.signsFrom - b.signsFrom)
  const current = candidates.findLast(({ signsFrom }) => signsFrom <= nowMs) ?? candidates[0]
  return current !== undefined && 'sign' in current.key ? current.key : null
}

/** A JWK Set (RFC 7517 §5) of the public keys: those that sign, will sign, and whose tokens may still be about. */
export function publicKeySet({ keys }: Keyring, nowMs: number): { keys: PublicJwk[] } {
  const published = [...keys.values()].filter(({ verifiesUntil }) => nowMs < verifiesUntil)
  return { keys: published.map(({ key }) => key.jwk) }
}

/**
 * Checks a token's signature. The key is found by `kid` and used with its own algorithm only; a token that names none of
 * these keys can only be one of a shared secret, which no public key can ever stand in for (CVE-2026-34950).
 */
export function judgeSignature(
  { secrets, keys }: Keyring,
  { algorithm, kid }: TokenHeader,
  signed: { readonly input: string; readonly signature: string },
  nowMs: number,
): 'right' | 'wrong' | 'unknown key' {
  const known = kid === null ? undefined : keys.get(kid)
  if (known !== undefined) {
    const isUsable = known.key.algorithm === algorithm && nowMs < known.verifiesUntil
    return isUsable && known.key.verifies(signed.input, signed.signature) ? 'right' : 'wrong'
  }
  if (algorithm !== 'HS256') return kid === null ? 'wrong' : 'unknown key'
  return verifiesUnderAny(secrets, signed.input, signed.signature) ? 'right' : 'wrong'
}

/** Tries every secret, whichever is right, so that the time does not tell which. */
function verifiesUnderAny(secrets: readonly VerificationKey[], input: string, signature: string): boolean {
  let isRight = false
  for (const secret of secrets) {
    if (secret.verifies(input, signature)) isRight = true
  }
  return isRight
}

/** A key of which only this is known: it verifies. */
export const verifyOnly = (key: PublicKey): RingKey => ({
  key,
  signsFrom: Number.POSITIVE_INFINITY,
  verifiesUntil: Number.POSITIVE_INFINITY,
})
