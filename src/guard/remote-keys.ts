import type { JsonWebKey } from 'node:crypto'
import type { KeySource } from '../core/key-source.js'
import { createKeyring, type Keyring, MAX_PUBLIC_KEYS, type RingKey, verifyOnly } from '../core/keyring.js'
import { importPublicJwk } from '../core/signing-key.js'
import { toSafeUrl } from './safe-url.js'
import { createWarner } from './warner.js'

export interface RemoteKeysOptions {
  /** Keyward's keys: `https://auth.example.com/.well-known/jwks.json`. Plain http is for this very machine only. */
  readonly jwksUrl: string
  /** Fetch the keys over plain http from other machines too; default false. Whoever is in between can forge tokens. */
  readonly allowPlainHttp?: boolean | undefined
  /** Seconds for which the keys last fetched are good while Keyward is away; default 3600. */
  readonly maxKeyStalenessSeconds?: number | undefined
  /** Told of every failed attempt to fetch the keys; default: a warning on the console when it begins to fail. */
  readonly onKeysError?: ((error: unknown) => void) | undefined
  /** Milliseconds that only ever grow; default the process's. */
  readonly monotonicMs?: (() => number) | undefined
}

/** Between two attempts in the long run, whoever asks for them: made-up kids must not turn this guard against Keyward. */
const PAUSE_MS = 10_000
/** Attempts that may come at once after a quiet time: a key can sign a moment after the set was fetched without it. */
const BURST = 2
const TIMEOUT_MS = 5_000
const MAX_BYTES = 64 * 1024
// Not less than the pause; and well below the time for which Keyward publishes a key before it signs.
const FRESHNESS_SECONDS = { least: 10, most: 180, unsaid: 60 }

interface FetchedKeys {
  /** Null: as before. */
  readonly keys: readonly RingKey[] | null
  readonly etag: string | null
  readonly freshForMs: number
}

/**
 * Keys that are fetched when they are needed, added to those `given`. They are fetched again once Keyward's `max-age` is
 * over, which a request then waits for; while that fails, the last ones do for `maxKeyStalenessSeconds`.
 * Throws a RangeError for an address that does not protect them.
 */
export function createRemoteKeys(options: RemoteKeysOptions, given: Keyring): KeySource {
  const { maxKeyStalenessSeconds = 3600, onKeysError = createWarner('fetch the keys') } = options
  const monotonicMs = options.monotonicMs ?? (() => performance.now())
  const url = toSafeUrl('jwksUrl', options.jwksUrl, options.allowPlainHttp === true)
  let keyring = given
  let etag: string | null = null
  let freshForMs = 0
  let fetchedAt = Number.NEGATIVE_INFINITY
  let triedAt = Number.NEGATIVE_INFINITY
  const mayFetch = createAllowance()
  let failing = false
  let running: Promise<boolean> | null = null

  async function refresh(): Promise<boolean> {
    const began = monotonicMs()
    triedAt = began
    try {
      const fetched = await fetchKeys(url, etag)
      if (fetched.keys) keyring = createKeyring(given.secrets, [...given.keys.values(), ...fetched.keys])
      ;({ etag, freshForMs } = fetched)
      fetchedAt = began
      failing = false
    } catch (error) {
      failing = true
      // On a stack of its own: an error in there is no reason to refuse, or to forget, anything here.
      queueMicrotask(() => onKeysError(error))
    }
    return !failing
  }

  function learn(): boolean | Promise<boolean> {
    if (running) return running
    const now = monotonicMs()
    if (failing ? now - triedAt < PAUSE_MS : !mayFetch(now)) return !failing
    running = refresh().finally(() => {
      running = null
    })
    return running
  }

  return {
    keyring() {
      const ageMs = monotonicMs() - fetchedAt
      if (ageMs <= freshForMs) return keyring
      const isTolerated = failing && ageMs <= maxKeyStalenessSeconds * 1000
      if (isTolerated) void learn()
      // Without the old keys, a token of theirs asks to learn, and waits for it.
      return isTolerated ? keyring : given
    },
    learn,
  }
}

/** A token bucket: says whether there may be another attempt, and counts it. */
function createAllowance(): (nowMs: number) => boolean {
  let nextAt = Number.NEGATIVE_INFINITY
  return (nowMs) => {
    const due = Math.max(nextAt, nowMs - (BURST - 1) * PAUSE_MS)
    if (due > nowMs) return false
    nextAt = due + PAUSE_MS
    return true
  }
}

async function fetchKeys(url: URL, etag: string | null): Promise<FetchedKeys> {
  const reply = await fetch(url, {
    // A cache on the way might not have heard of a new key, or of the end of one (RFC 9111 §5.2.1.4).
    headers: {
      accept: 'application/json',
      'cache-control': 'no-cache',
      ...(etag !== null && { 'if-none-match': etag }),
    },
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  const freshForMs = readFreshSeconds(reply.headers) * 1000
  if (reply.status === 304 && etag !== null) return { keys: null, etag, freshForMs }
  if (reply.status !== 200) {
    await reply.body?.cancel()
    throw new Error(`The jwksUrl answered ${reply.status}`)
  }
  return { keys: readKeySet(await readText(reply)), etag: reply.headers.get('etag'), freshForMs }
}

function readFreshSeconds(headers: Headers): number {
  const { least, most, unsaid } = FRESHNESS_SECONDS
  const maxAge = /\bmax-age=(\d{1,9})/i.exec(headers.get('cache-control') ?? '')?.[1] ?? unsaid
  // For so long a cache that goes its own way has kept it already (RFC 9111 §5.1).
  const age = /^\d{1,9}$/.exec(headers.get('age') ?? '')?.[0] ?? 0
  return Math.min(most, Math.max(least, Number(maxAge) - Number(age)))
}

async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  // Leaving the loop cancels the rest.
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > MAX_BYTES) throw new Error('The jwksUrl answered too much')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function readKeySet(text: string): RingKey[] {
  const { keys } = JSON.parse(text) as { keys?: unknown }
  if (!Array.isArray(keys) || keys.length > MAX_PUBLIC_KEYS)
    throw new Error('The jwksUrl answered no JWK Set')
  return keys.flatMap((jwk: unknown) => {
    try {
      return [verifyOnly(importPublicJwk(jwk as JsonWebKey))]
    } catch {
      // Of a kind that is not known here (RFC 7517 §5).
      return []
    }
  })
}
