import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRevocationLog, type Revocation } from '../../src/core/revocation-log.js'
import { createFeed, type Feed } from '../../src/revocation/feed.js'

const NOW = 1_800_000_000

let rows: Revocation[] = []
let purgedUpTo = 0
let time = 0
let feed: Feed

beforeEach(async () => {
  rows = []
  purgedUpTo = 0
  time = 0
  feed = createFeed({
    store: {
      readAfter: async (seq, limit) => ({
        rows: rows.filter((row) => row.seq > seq).slice(0, limit),
        lastSeq: Math.max(purgedUpTo, rows.at(-1)?.seq ?? 0),
        now: NOW,
      }),
    },
    log: createRevocationLog(),
    pollIntervalMs: 3_600_000,
    monotonicMs: () => time,
    onFailure: () => {},
    onRecovery: () => {},
  })
  await feed.start()
})
afterEach(() => feed.stop())

function end(): Revocation {
  const row = { seq: rows.length + 1, sessionId: randomUUID(), expiresAt: NOW }
  rows.push(row)
  return row
}

const LONG_MS = 3_600_000

test('answers at once with the rows after a number', async () => {
  const [, second, third] = [end(), end(), end()]
  await feed.catchUp()
  time = 40
  expect(await feed.read(1, LONG_MS)).toEqual({
    rows: [second, third],
    lastSeq: 3,
    ageMs: 40,
    now: NOW,
    more: false,
  })
})

test('says when there are more rows than fit into one answer', async () => {
  for (let i = 0; i < 20_001; i++) end()
  await feed.catchUp()
  const first = await feed.read(0, 0)
  expect(first.more).toBe(true)
  const second = await feed.read(first.rows.at(-1)?.seq ?? 0, 0)
  expect(second.more).toBe(false)
  expect([...first.rows, ...second.rows]).toEqual(rows)
})

test('tells the last number of the database also when its row has been purged', async () => {
  purgedUpTo = 12
  await feed.catchUp()
  expect((await feed.read(0, 0)).lastSeq).toBe(12)
})

test('without news, everyone who waits gets them as soon as there are some', async () => {
  const waiting = [feed.read(0, LONG_MS), feed.read(0, LONG_MS)]
  // A read without news must not answer anybody.
  await feed.catchUp()
  const ended = end()
  await feed.catchUp()
  for (const answer of await Promise.all(waiting)) expect(answer.rows).toEqual([ended])
})

test('answers with nothing when nothing has come in time', async () => {
  expect(await feed.read(0, 1)).toMatchObject({ rows: [], lastSeq: 0, more: false })
})

test('answers with nothing at once when not asked to wait', async () => {
  expect((await feed.read(0, 0)).rows).toEqual([])
})

test('a server that shuts down lets go of those who wait, and of those who come later', async () => {
  const waiting = feed.read(0, LONG_MS)
  feed.release()
  expect((await waiting).rows).toEqual([])
  expect((await feed.read(0, LONG_MS)).rows).toEqual([])
})
