import { MAX_PUBLIC_KEYS } from '../core/keyring.js'
import type { KeySafe } from '../core/sealed-key.js'
import { generatePrivateKey, type TokenAlgorithm } from '../core/signing-key.js'
import type { SigningKeyStore } from '../keys/store.js'
import {
  KEY_PROPAGATION_SECONDS,
  type KeyState,
  stateOf,
  type StoredKey,
  verifiesUntil,
} from '../keys/stored-key.js'

// Two words, so that a running server which knows nothing of keys does not take "list" for a list of users.
export const KEY_ACTIONS = ['keys list', 'keys rotate', 'keys retire'] as const
export type KeyAction = (typeof KEY_ACTIONS)[number]

/** What an operator asks for, as it also travels to a running server. */
export interface KeyCommand {
  readonly action: KeyAction
  /** Null but for `keys retire`. */
  readonly kid: string | null
}

/** A key as an operator sees it; times are ISO 8601. */
export interface ListedKey {
  readonly kid: string
  readonly algorithm: string
  readonly state: KeyState
  readonly signsFrom: string
  /** Null while nothing replaces it. */
  readonly verifiesUntil: string | null
}

export interface KeyReport {
  readonly keys: readonly ListedKey[]
  /** What has been done, for people; null where the keys themselves are the answer. */
  readonly message: string | null
}

export interface KeyOperatorDependencies {
  readonly store: SigningKeyStore
  /** Null where no keys in the database count. */
  readonly safe: KeySafe | null
  readonly algorithm: TokenAlgorithm
  readonly accessTokenTtlSeconds: number
}

/** Carries out one command. Rejects with an Error in words for the operator. */
export async function runKeyCommand(
  dependencies: KeyOperatorDependencies,
  { action, kid }: KeyCommand,
): Promise<KeyReport> {
  switch (action) {
    case 'keys list':
      return report(dependencies)
    case 'keys rotate':
      return report(dependencies, await rotate(dependencies))
    case 'keys retire':
      return report(dependencies, await retire(dependencies, kid))
  }
}

async function rotate({ store, safe, algorithm, ...rest }: KeyOperatorDependencies): Promise<string> {
  if (algorithm === 'HS256')
    throw new Error(
      'JWT_ALGORITHM is HS256, which has no key pairs: replace BETTER_AUTH_SECRET, and move the old one to ' +
        'BETTER_AUTH_SECRET_PREVIOUS.',
    )
  if (safe === null)
    throw new Error('The keys are not in the database: set KEY_ENCRYPTION_SECRET, and no JWT_KEY_FILES.')
  const { keys, now } = await store.read()
  if (keys.some((key) => safe.open(key) === null))
    throw new Error(
      'The keys in the database do not open with this KEY_ENCRYPTION_SECRET: the nodes have another one.',
    )
  if (keys.filter((key) => now < verifiesUntil(key, keys)).length >= MAX_PUBLIC_KEYS)
    throw new Error(
      `There are ${MAX_PUBLIC_KEYS} keys with tokens about, and guards take no more: rotate less often, or retire some.`,
    )
  const key = await generatePrivateKey(algorithm)
  const added = await store.addNext({ ...safe.seal(key), longestTokenSeconds: rest.accessTokenTtlSeconds })
  return added
    ? `${key.kid} signs in ${KEY_PROPAGATION_SECONDS} seconds; the key before it verifies until its tokens have expired.`
    : 'A new key waits for its turn already; nothing was changed.'
}

async function retire({ store }: KeyOperatorDependencies, kid: string | null): Promise<string> {
  switch (await store.retire(kid ?? '')) {
    case 'retired':
      return `${kid} is retired: its tokens are refused from now on, by guards within a minute.`
    case 'unknown':
      throw new Error(`There is no key ${kid}.`)
    case 'irreplaceable':
      throw new Error('Nothing else could sign. Make a new key first: keyward keys rotate')
  }
}

async function report({ store }: KeyOperatorDependencies, message: string | null = null): Promise<KeyReport> {
  const { keys, now } = await store.read()
  return { keys: keys.map((key) => toListed(key, keys, now)), message }
}

function toListed(key: StoredKey, keys: readonly StoredKey[], now: number): ListedKey {
  const until = verifiesUntil(key, keys)
  return {
    kid: key.kid,
    algorithm: key.algorithm,
    state: stateOf(key, keys, now),
    signsFrom: new Date(key.signsFrom).toISOString(),
    verifiesUntil: until === Number.POSITIVE_INFINITY ? null : new Date(until).toISOString(),
  }
}
