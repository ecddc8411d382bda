import { setTimeout as delay } from 'node:timers/promises'
import { createCatchUp } from '../core/catch-up.js'
import type { KeySource } from '../core/key-source.js'
import { createKeyring, type Keyring, type RingKey } from '../core/keyring.js'
import type { KeySafe } from '../core/sealed-key.js'
import {
  type AsymmetricAlgorithm,
  generatePrivateKey,
  type PrivateKey,
  type TokenAlgorithm,
} from '../core/signing-key.js'
import type { SigningKeyStore } from './store.js'
import { type StoredKey, verifiesUntil } from './stored-key.js'

export interface FollowKeysOptions {
  readonly store: SigningKeyStore
  readonly safe: KeySafe
  /** What is there beside the keys in the database. */
  readonly given: Keyring
  /** What this node signs with. */
  readonly algorithm: TokenAlgorithm
  readonly accessTokenTtlSeconds: number
  /** Milliseconds that only ever grow. */
  readonly monotonicMs: () => number
  /** Told when reading the keys begins to fail, when it works again, and of each key that does not open. */
  readonly onFailure: (error: unknown) => void
  readonly onRecovery: () => void
  readonly onForeignKey: (kid: string) => void
}

/** Keeps a node's keyring in step with the database. */
export interface FollowedKeys extends KeySource {
  /** Makes the first key where there is none, and loads them all. Rejects with an Error in words for the operator. */
  start(): Promise<void>
  /** Resolves once a read that began after the call is in the keyring; a failure is reported, and does not reject. */
  catchUp(): Promise<void>
}

/** Between two reads that are caused by tokens of unknown keys. */
const PAUSE_MS = 1_000

export function followKeys(options: FollowKeysOptions): FollowedKeys {
  const { store, safe, given, algorithm, monotonicMs } = options
  let opened: ReadonlyMap<string, PrivateKey> = new Map()
  const foreign = new Set<string>()
  let keyring = given
  let learntAt = Number.NEGATIVE_INFINITY
  let learning: Promise<boolean> | null = null

  function open(stored: StoredKey): PrivateKey | null {
    const key = opened.get(stored.kid) ?? safe.open(stored)
    if (key === null && !foreign.has(stored.kid)) options.onForeignKey(stored.kid)
    if (key === null) foreign.add(stored.kid)
    return key
  }

  /** A row that does not open counts for nothing: it neither verifies nor replaces another. */
  function toRing(rows: readonly StoredKey[]): RingKey[] {
    const pairs = rows.flatMap((row) => {
      const key = open(row)
      return key ? [{ row, key }] : []
    })
    opened = new Map(pairs.map(({ key }) => [key.kid, key]))
    const ours = pairs.map(({ row }) => row)
    return pairs.map(({ row, key }) => ({
      key,
      signsFrom: row.signsFrom,
      verifiesUntil: verifiesUntil(row, ours),
    }))
  }

  async function load(): Promise<void> {
    const { keys } = await store.read()
    keyring = createKeyring(given.secrets, toRing(keys))
  }

  const reading = createCatchUp({ ...options, read: load })
  const catchUp = (): Promise<void> => reading.catchUp().catch(() => {})

  /** Made-up keys cost one read a second, and a real one is not missed: all who come before the read wait for it. */
  async function learnInTurn(): Promise<boolean> {
    await delay(Math.max(0, learntAt + PAUSE_MS - monotonicMs()), undefined, { ref: false })
    learntAt = monotonicMs()
    learning = null
    await catchUp()
    return !reading.isFailing()
  }

  async function makeFirst(wanted: AsymmetricAlgorithm): Promise<void> {
    const longestTokenSeconds = options.accessTokenTtlSeconds
    if (await store.prepare(wanted, longestTokenSeconds)) return
    await store.addFirst({ ...safe.seal(await generatePrivateKey(wanted)), longestTokenSeconds })
  }

  return {
    async start() {
      if (algorithm !== 'HS256') await makeFirst(algorithm)
      await load()
      if (foreign.size > 0) throw new Error(DOES_NOT_OPEN)
    },
    catchUp,
    keyring: () => keyring,
    learn() {
      learning ??= learnInTurn()
      return learning
    },
  }
}

const DOES_NOT_OPEN =
  'The signing keys in the database do not open with this KEY_ENCRYPTION_SECRET. Give this node the one of the others, ' +
  'or where that is replaced, the old one as KEY_ENCRYPTION_SECRET_PREVIOUS.'
