import { setTimeout as delay } from 'node:timers/promises'
import { CLOCK_MARGIN_SECONDS } from '../core/clock.js'
import { createRevocationCheck, type RevocationCheck, type StalenessRule } from '../core/revocation-check.js'
import { createRevocationLog } from '../core/revocation-log.js'
import { toSafeUrl } from './safe-url.js'
import { createWarner } from './warner.js'

export interface FollowOptions {
  /** Where Keyward is, such as `https://auth.example.com`. */
  readonly url: string
  /** Keyward's `REVOCATION_FEED_TOKEN`. */
  readonly token: string
  /**
   * Follow Keyward over plain http on other machines too; default false. Whoever is in between reads the token, and can
   * keep back that a session has ended.
   */
  readonly allowPlainHttp?: boolean
  /** Seconds without news after which every token is refused with `revocation_stale`; default 10. */
  readonly maxStalenessSeconds?: number
  /** What to do then; default `refuse`. */
  readonly whenStale?: StalenessRule['whenStale']
  /** Told of every failed attempt to read the feed; default: a warning on the console when it begins to fail. */
  readonly onError?: (error: unknown) => void
}

export interface FollowedRevocations {
  /** For `createGuard`. Until the first load it answers `stale`. */
  readonly check: RevocationCheck
  /** Resolves with the first complete load. */
  readonly ready: Promise<void>
  stop(): void
}

interface FeedReply {
  readonly last_seq: number
  readonly age_ms: number
  /** The database's clock, in seconds since the epoch. */
  readonly now: number
  readonly revocations: readonly { seq: number; session_id: string; expires_at: number }[]
  readonly more: boolean
}

const MAX_WAIT_SECONDS = 3
const REQUEST_TIMEOUT_MS = 8_000
/** Between two requests that are not held open, and before another after a failure. */
const PAUSE_MS = 200

/**
 * Follows Keyward's feed of ended sessions, so that a guard in another process refuses them as soon as Keyward does.
 * Throws a RangeError for an insecure `url`.
 */
export function followRevocations(options: FollowOptions): FollowedRevocations {
  const {
    maxStalenessSeconds = 10,
    whenStale = 'refuse',
    onError = createWarner('follow ended sessions'),
  } = options
  const feed = feedAddress(options)
  const log = createRevocationLog()
  const stopping = new AbortController()
  // News age by up to twice the wait, and must not get stale by that alone.
  const waitSeconds = Math.min(MAX_WAIT_SECONDS, Math.floor(maxStalenessSeconds / 3))
  let heardAt = Number.NEGATIVE_INFINITY
  /** When the last row came. */
  let grewAt = Number.NEGATIVE_INFINITY
  let markReady = (): void => {}
  const ready = new Promise<void>((resolve) => {
    markReady = resolve
  })

  async function readOnce(): Promise<'go on' | 'pause'> {
    const began = performance.now()
    const wait = Number.isFinite(heardAt) ? waitSeconds : 0
    const reply = await fetchFeed(feed, options.token, { after: log.lastSeq, wait }, stopping.signal)
    // A long poll is answered with what was known at its end, so its beginning is a cautious measure.
    const newsFrom = began - reply.age_ms
    if (reply.last_seq < log.lastSeq) {
      // Only a node that lags behind the one that answered before? If not: the database was restored from a backup,
      // everything known is void, and until all of it is read again this guard can vouch for no session.
      if (newsFrom <= grewAt) return 'pause'
      log.clear()
      heardAt = Number.NEGATIVE_INFINITY
      return 'go on'
    }
    for (const { seq, session_id, expires_at } of reply.revocations) {
      if (seq <= log.lastSeq) continue
      log.append(seq, session_id, expires_at)
      grewAt = performance.now()
    }
    if (reply.more) return 'go on'
    heardAt = newsFrom
    // By the database's clock: a jump of this machine's must not bring an ended session back.
    log.dropExpired(reply.now - CLOCK_MARGIN_SECONDS)
    markReady()
    return waitSeconds > 0 ? 'go on' : 'pause'
  }

  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      const next = await readOnce().catch((error: unknown) => {
        // On a stack of its own: an error in there must not end the following.
        if (!stopping.signal.aborted) queueMicrotask(() => onError(error))
        return 'pause' as const
      })
      if (next === 'pause') await delay(PAUSE_MS, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  void follow()
  return {
    check: createRevocationCheck(log, () => performance.now() - heardAt, {
      maxAgeMs: maxStalenessSeconds * 1000,
      whenStale,
    }),
    ready,
    stop() {
      stopping.abort()
    },
  }
}

function feedAddress({ url, allowPlainHttp }: FollowOptions): URL {
  const base = toSafeUrl('url', url.endsWith('/') ? url : `${url}/`, allowPlainHttp === true)
  return new URL('api/auth/revocations', base)
}

async function fetchFeed(
  feed: URL,
  token: string,
  { after, wait }: { readonly after: number; readonly wait: number },
  signal: AbortSignal,
): Promise<FeedReply> {
  const address = new URL(feed)
  address.search = new URLSearchParams({ after: String(after), wait: String(wait) }).toString()
  const reply = await fetch(address, {
    headers: { authorization: `Bearer ${token}` },
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
  })
  if (!reply.ok) throw new Error(`Keyward answered ${reply.status} to a guard that follows its revocations`)
  return (await reply.json()) as FeedReply
}
