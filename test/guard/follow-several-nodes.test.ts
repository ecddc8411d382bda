import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FollowedRevocations, followRevocations } from '../../src/guard/index.js'

interface Row {
  readonly seq: number
  readonly session_id: string
  readonly expires_at: number
}

/** A balancer in front of nodes: the test decides which one answers, and how far that has read. */
let server: Server
let asked: { after: number; reply: ServerResponse }[]
let followed: FollowedRevocations

beforeEach(async () => {
  asked = []
  server = createServer((request, reply) => {
    const after = Number(new URL(request.url ?? '', 'http://localhost').searchParams.get('after'))
    asked.push({ after, reply })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  followed = followRevocations({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: 'x'.repeat(32),
    maxStalenessSeconds: 3_600,
  })
})
afterEach(async () => {
  followed.stop()
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

const NOW = 1_800_000_000
const row = (seq: number): Row => ({ seq, session_id: randomUUID(), expires_at: NOW })

/** Answers the next request as a node does that has read this database so long ago; returns what was asked for. */
async function answer(database: readonly Row[], { lastSeq = database.at(-1)?.seq ?? 0, ageMs = 0 } = {}) {
  await expect.poll(() => asked.length).toBeGreaterThan(0)
  const { after, reply } = asked.shift() as (typeof asked)[number]
  const revocations = database.filter(({ seq }) => seq > after)
  reply.setHeader('content-type', 'application/json')
  reply.end(JSON.stringify({ last_seq: lastSeq, age_ms: ageMs, now: NOW, more: false, revocations }))
  // The next question comes when the answer has been taken in.
  await expect.poll(() => asked.length).toBe(1)
  return after
}

const LAG_MS = 60_000

test('an end that is known stays known when a node answers that lags behind', async () => {
  const rows = [row(1), row(2)]
  await answer(rows)
  expect(followed.check(rows[1]?.session_id ?? '')).toBe('ended')
  expect(await answer(rows.slice(0, 1), { ageMs: LAG_MS })).toBe(2)
  expect(rows.map(({ session_id }) => followed.check(session_id))).toEqual(['ended', 'ended'])
  rows.push(row(3))
  expect(await answer(rows)).toBe(2)
  expect(rows.map(({ session_id }) => followed.check(session_id))).toEqual(['ended', 'ended', 'ended'])
})

test('a node that reads now and still knows less shows that the database was restored: all begins anew', async () => {
  const [kept, lost, other] = [row(1), row(2), row(2)]
  await answer([kept, lost])
  expect(await answer([kept])).toBe(2)
  // Until everything is read again, nobody is vouched for.
  expect(followed.check(kept.session_id)).toBe('stale')
  expect(await answer([kept, other])).toBe(0)
  expect([kept, lost, other].map(({ session_id }) => followed.check(session_id))).toEqual([
    'ended',
    'live',
    'ended',
  ])
})

test('rows that have been purged on a node that was started since are no reason to begin anew', async () => {
  const known = row(7)
  await answer([known])
  await answer([], { lastSeq: 7 })
  expect(followed.check(known.session_id)).toBe('ended')
  expect(followed.check(randomUUID())).toBe('live')
})
