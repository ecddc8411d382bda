import { randomUUID } from 'node:crypto'
import { afterEach, expect, test, vi } from 'vitest'
import { CLOCK_MARGIN_SECONDS } from '../../src/core/clock.js'
import { createRevocationLog, type Revocation } from '../../src/core/revocation-log.js'
import { createFeed, type Feed, type FeedPage } from '../../src/revocation/feed.js'

const NOW = 1_800_000_000

interface Read {
  readonly after: number
  readonly limit: number
  answer(page: Partial<FeedPage>): Promise<void>
  fail(): Promise<void>
}

let feed: Feed
let reads: Read[] = []
afterEach(async () => {
  const stopped = feed.stop()
  for (const read of reads) await read.fail()
  await stopped
})

/** A feed on a database that answers when the test says so. */
function setUp(options: { pollIntervalMs?: number } = {}) {
  reads = []
  const reports: string[] = []
  const time = { ms: 0 }
  const log = createRevocationLog()
  feed = createFeed({
    store: {
      readAfter: (after, limit) =>
        new Promise((resolve, reject) => {
          reads.push({
            after,
            limit,
            async answer({ rows = [], lastSeq = rows.at(-1)?.seq ?? after, now = NOW }) {
              resolve({ rows, lastSeq, now })
              await settle()
            },
            async fail() {
              reject(new Error('no database'))
              await settle()
            },
          })
        }),
    },
    log,
    pollIntervalMs: options.pollIntervalMs ?? 3_600_000,
    monotonicMs: () => time.ms,
    onFailure: (error) => reports.push(`failure: ${(error as Error).message}`),
    onRecovery: () => reports.push('recovery'),
  })
  return { reads, reports, time, log }
}

function catchUp(): void {
  feed.catchUp().catch(() => {})
}

/** Lets everything that waits for nothing but promises happen. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function track(promise: Promise<unknown>): { state: 'pending' | 'done' | 'failed' } {
  const tracked: { state: 'pending' | 'done' | 'failed' } = { state: 'pending' }
  promise.then(
    () => (tracked.state = 'done'),
    () => (tracked.state = 'failed'),
  )
  return tracked
}

const row = (seq: number, expiresAt = NOW): Revocation => ({ seq, sessionId: randomUUID(), expiresAt })

test('starts with everything there is, page after page', async () => {
  const { reads, log } = setUp()
  const started = track(feed.start())
  const { limit } = reads[0] as Read
  const rows = Array.from({ length: limit + 1 }, (_, index) => row(index + 1))
  expect(reads[0]?.after).toBe(0)
  await reads[0]?.answer({ rows: rows.slice(0, limit), lastSeq: limit + 1 })
  expect(started.state).toBe('pending')
  expect(feed.ageMs()).toBe(Number.POSITIVE_INFINITY)
  expect(reads[1]?.after).toBe(limit)
  await reads[1]?.answer({ rows: rows.slice(limit) })
  expect(started.state).toBe('done')
  expect(rows.every(({ sessionId }) => log.has(sessionId))).toBe(true)
})

test('does not start when the first load fails', async () => {
  const { reads } = setUp()
  const started = track(feed.start())
  await reads[0]?.fail()
  expect(started.state).toBe('failed')
})

test('catching up means a read that begins after the call', async () => {
  const { reads, log } = setUp()
  catchUp()
  // Committed after that read has looked, and before this call.
  const ended = row(1)
  const caughtUp = track(feed.catchUp())
  await reads[0]?.answer({})
  expect(caughtUp.state).toBe('pending')
  expect(log.has(ended.sessionId)).toBe(false)
  await reads[1]?.answer({ rows: [ended] })
  expect(caughtUp.state).toBe('done')
  expect(log.has(ended.sessionId)).toBe(true)
})

test('any number of callers share one read at a time', async () => {
  const { reads } = setUp()
  const early = track(feed.catchUp())
  const late = Array.from({ length: 50 }, () => track(feed.catchUp()))
  await settle()
  expect(reads).toHaveLength(1)
  await reads[0]?.answer({})
  expect(early.state).toBe('done')
  expect(reads).toHaveLength(2)
  await reads[1]?.answer({})
  expect(late.every(({ state }) => state === 'done')).toBe(true)
  expect(reads).toHaveLength(2)
})

test('a caller during a read that fails gets a read of its own', async () => {
  const { reads } = setUp()
  const early = track(feed.catchUp())
  const late = track(feed.catchUp())
  await reads[0]?.fail()
  expect([early.state, late.state]).toEqual(['failed', 'pending'])
  await reads[1]?.answer({})
  expect(late.state).toBe('done')
})

test('asks for what follows the last row, and ignores what it has already', async () => {
  const { reads, log } = setUp()
  const [first, second] = [row(1), row(2)]
  catchUp()
  await reads[0]?.answer({ rows: [first] })
  catchUp()
  expect(reads[1]?.after).toBe(1)
  await reads[1]?.answer({ rows: [first, second] })
  expect(log.after(0, 10)).toEqual([first, second])
})

test('numbers that have been purged are no reason to begin anew', async () => {
  const { reads, log } = setUp()
  catchUp()
  await reads[0]?.answer({ rows: [row(3), row(9)], lastSeq: 12 })
  expect(log.lastSeq).toBe(9)
  catchUp()
  await reads[1]?.answer({ rows: [], lastSeq: 12 })
  expect(reads).toHaveLength(2)
  expect(log.size).toBe(2)
})

test('reads anew when the database counts from an earlier number: it was restored from a backup', async () => {
  const { reads, log } = setUp()
  const [kept, lost, other] = [row(1), row(2), row(1)]
  catchUp()
  await reads[0]?.answer({ rows: [kept, lost] })
  const caughtUp = track(feed.catchUp())
  await reads[1]?.answer({ rows: [], lastSeq: 1 })
  expect(caughtUp.state).toBe('pending')
  // Until it has: what it knew is void, so it must not vouch for any session.
  expect(feed.ageMs()).toBe(Number.POSITIVE_INFINITY)
  expect(reads[2]?.after).toBe(0)
  await reads[2]?.answer({ rows: [other] })
  expect(caughtUp.state).toBe('done')
  expect(feed.ageMs()).toBe(0)
  expect(log.after(0, 10)).toEqual([other])
})

test('its news are as old as the beginning of the last complete read', async () => {
  const { reads, time } = setUp()
  expect(feed.ageMs()).toBe(Number.POSITIVE_INFINITY)
  time.ms = 1_000
  catchUp()
  time.ms = 1_300
  await reads[0]?.answer({})
  expect(feed.ageMs()).toBe(300)
  time.ms = 5_000
  expect(feed.ageMs()).toBe(4_000)
  catchUp()
  await reads[1]?.fail()
  expect(feed.ageMs()).toBe(4_000)
  catchUp()
  await reads[2]?.answer({})
  expect(feed.ageMs()).toBe(0)
})

test('reports a failure once, and the recovery once', async () => {
  const { reads, reports } = setUp()
  for (let attempt = 0; attempt < 3; attempt++) {
    catchUp()
    await reads[attempt]?.fail()
  }
  expect(reports).toEqual(['failure: no database'])
  for (let attempt = 3; attempt < 5; attempt++) {
    catchUp()
    await reads[attempt]?.answer({})
  }
  expect(reports).toEqual(['failure: no database', 'recovery'])
  catchUp()
  await reads[5]?.fail()
  expect(reports).toHaveLength(3)
})

test('goes on reading by itself, also after a failure', async () => {
  const { reads } = setUp({ pollIntervalMs: 1 })
  const started = feed.start()
  await reads[0]?.answer({})
  await started
  await vi.waitFor(() => expect(reads).toHaveLength(2))
  await reads[1]?.fail()
  await vi.waitFor(() => expect(reads).toHaveLength(3))
  await reads[2]?.answer({})
  await vi.waitFor(() => expect(reads).toHaveLength(4))
  await reads[3]?.answer({})
})

test('a notification makes it read at once, until it is stopped', async () => {
  const { reads } = setUp()
  feed.wake()
  expect(reads).toHaveLength(1)
  await reads[0]?.fail()
  await feed.stop()
  feed.wake()
  expect(reads).toHaveLength(1)
})

test('stopping waits for the read under way', async () => {
  const { reads } = setUp()
  catchUp()
  const stopped = track(feed.stop())
  await settle()
  expect(stopped.state).toBe('pending')
  await reads[0]?.answer({})
  expect(stopped.state).toBe('done')
})

test('forgets a row an hour after its tokens expired, by the database’s clock', async () => {
  const { reads, log } = setUp()
  const [old, older] = [row(1, NOW - CLOCK_MARGIN_SECONDS), row(2, NOW - CLOCK_MARGIN_SECONDS - 1)]
  catchUp()
  await reads[0]?.answer({ rows: [old, older], now: NOW })
  expect(log.has(old.sessionId)).toBe(true)
  expect(log.has(older.sessionId)).toBe(false)
  catchUp()
  await reads[1]?.answer({ now: NOW + 1 })
  expect(log.has(old.sessionId)).toBe(false)
})
