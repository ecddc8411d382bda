import { createCatchUp } from '../core/catch-up.js'
import { CLOCK_MARGIN_SECONDS } from '../core/clock.js'
import type { Revocation, RevocationLog } from '../core/revocation-log.js'

/** A row as it comes from the database: the session id as text or as its 16 bytes. */
export interface FeedRow {
  readonly seq: number
  readonly sessionId: string | Uint8Array
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

export interface FeedPage {
  /** In order of `seq`, without a gap. */
  readonly rows: readonly FeedRow[]
  /** The highest number given out so far, whether or not its row is on this page or has been purged. */
  readonly lastSeq: number
  /** The database's clock, in seconds since the epoch. */
  readonly now: number
}

/** What the feed needs of the database. */
export interface FeedStore {
  readAfter(seq: number, limit: number): Promise<FeedPage>
}

export interface FeedOptions {
  readonly store: FeedStore
  readonly log: RevocationLog
  readonly pollIntervalMs: number
  /** Milliseconds that only ever grow: a jump of the wall clock must not make old news look fresh. */
  readonly monotonicMs: () => number
  /** Told when reading the feed begins to fail, and when it works again. */
  readonly onFailure: (error: unknown) => void
  readonly onRecovery: () => void
}

export interface FeedReading extends Omit<FeedPage, 'rows'> {
  readonly rows: readonly Revocation[]
  /** How old this node's own news are, in milliseconds. */
  readonly ageMs: number
  /** Whether rows are left for the next page. */
  readonly more: boolean
}

/** Keeps the log of ended sessions in step with the database. */
export interface Feed {
  /** Loads all live rows, then goes on reading; rejects when the first load fails. */
  start(): Promise<void>
  /** Resolves once everything that was committed before the call is in the log. */
  catchUp(): Promise<void>
  /** Somebody has news: read now instead of at the next interval. */
  wake(): void
  /** How long ago the log was last known to be complete, in milliseconds. */
  ageMs(): number
  /** Rows after `seq` for another service; when there are none, waits for some up to `waitMs`. */
  read(seq: number, waitMs: number): Promise<FeedReading>
  /** Answers everyone who waits, now and from now on at once. */
  release(): void
  stop(): Promise<void>
}

const PAGE_SIZE = 50_000
/** For another service, which gets its rows as JSON. */
const SERVED_PAGE_SIZE = 20_000

export function createFeed(options: FeedOptions): Feed {
  const { store, log, pollIntervalMs, monotonicMs } = options
  let databaseNow = 0
  // Of the database: above the log's where rows have been purged.
  let lastSeq = 0
  let heardAt = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let released = false
  const waiters = new Set<() => void>()

  async function readToEnd(): Promise<void> {
    const began = monotonicMs()
    for (;;) {
      const page = await store.readAfter(log.lastSeq, PAGE_SIZE)
      // A database restored from an older backup counts from an earlier number: everything known is void, and until
      // all of it is read again this node can vouch for no session.
      if (page.lastSeq < log.lastSeq) {
        log.clear()
        heardAt = Number.NEGATIVE_INFINITY
        continue
      }
      for (const { seq, sessionId, expiresAt } of page.rows) {
        if (seq > log.lastSeq) log.append(seq, sessionId, expiresAt)
      }
      if (page.rows.length > 0) answerWaiters()
      databaseNow = page.now
      lastSeq = page.lastSeq
      if (page.rows.length < PAGE_SIZE) break
    }
    // By the database's clock: a jump of this node's must not bring an ended session back.
    log.dropExpired(databaseNow - CLOCK_MARGIN_SECONDS)
    heardAt = began
  }

  const ageMs = (): number => monotonicMs() - heardAt

  function answerWaiters(): void {
    for (const answer of waiters) answer()
    waiters.clear()
  }

  function waitForRows(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const answer = (): void => {
        clearTimeout(timeout)
        waiters.delete(answer)
        resolve()
      }
      const timeout = setTimeout(answer, waitMs)
      waiters.add(answer)
    })
  }

  const { catchUp, settled } = createCatchUp({ ...options, read: readToEnd })

  function schedule(): void {
    if (stopped) return
    timer = setTimeout(() => {
      // A failure has been reported; the growing age is what acts on it.
      void catchUp()
        .catch(() => {})
        .then(schedule)
    }, pollIntervalMs)
  }

  return {
    async start() {
      await catchUp()
      schedule()
    },
    catchUp,
    wake() {
      if (!stopped) void catchUp().catch(() => {})
    },
    ageMs,
    async read(seq, waitMs) {
      if (log.lastSeq <= seq && waitMs > 0 && !released) await waitForRows(waitMs)
      const rows = log.after(seq, SERVED_PAGE_SIZE)
      const more = rows.length === SERVED_PAGE_SIZE
      return { rows, more, lastSeq: Math.max(lastSeq, log.lastSeq), ageMs: ageMs(), now: databaseNow }
    },
    release() {
      released = true
      answerWaiters()
    },
    async stop() {
      stopped = true
      clearTimeout(timer)
      await settled()
    },
  }
}
