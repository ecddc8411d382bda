import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  createEventRecorder,
  createLog,
  createRefusedRequestTally,
  MAX_REFUSAL_LINES,
  REFUSAL_INTERVAL_MS,
} from '../src/log.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function createRefusals() {
  const lines: string[] = []
  const log = createLog('info', { write: (line) => void lines.push(line) })
  const note = createRefusedRequestTally(createEventRecorder(log), log)
  let requests = 0
  const refuse = (address: string, times = 1, operation = 'POST /api/auth/login'): void => {
    for (let i = 0; i < times; i++) {
      note({ requestId: `request-${++requests}`, address, reason: 'validation_failed', operation })
    }
  }
  const written = () => lines.map((line) => JSON.parse(line))
  const counts = () => written().map(({ address, count }) => [address, count])
  return { refuse, written, counts }
}

test('the first refused request of a client is logged at once, and those of a flood in one line a minute', () => {
  const { refuse, written, counts } = createRefusals()
  refuse('192.0.2.1', 299)
  refuse('192.0.2.1', 1, 'PUT /api/auth/profile')
  expect(counts()).toEqual([['192.0.2.1', 1]])
  vi.advanceTimersByTime(REFUSAL_INTERVAL_MS - 1)
  expect(counts()).toHaveLength(1)
  vi.advanceTimersByTime(1)
  expect(written().slice(1)).toMatchObject([
    { address: '192.0.2.1', count: 299, request_id: 'request-300', operation: 'PUT /api/auth/profile' },
  ])
  refuse('192.0.2.1', 20)
  vi.advanceTimersByTime(REFUSAL_INTERVAL_MS)
  expect(counts().slice(2)).toEqual([['192.0.2.1', 20]])
})

test('after a minute of peace the next one is logged at once again, and silence writes nothing', () => {
  const { refuse, counts } = createRefusals()
  refuse('192.0.2.1')
  vi.advanceTimersByTime(10 * REFUSAL_INTERVAL_MS)
  expect(counts()).toHaveLength(1)
  refuse('192.0.2.1')
  expect(counts()).toEqual([
    ['192.0.2.1', 1],
    ['192.0.2.1', 1],
  ])
})

test('all addresses of one client share a line, whose address is that of the last', () => {
  const { refuse, counts } = createRefusals()
  for (const host of ['a', 'b', 'c']) refuse(`2001:db8:1:1::${host}`)
  refuse('2001:db8:1:2::a')
  vi.advanceTimersByTime(REFUSAL_INTERVAL_MS)
  expect(counts()).toEqual([
    ['2001:db8:1:1::a', 1],
    ['2001:db8:1:2::a', 1],
    ['2001:db8:1:1::c', 2],
  ])
})

test('of more clients than are told apart nothing is logged but how often it happened, until others are silent', () => {
  const { refuse, written } = createRefusals()
  const newcomer = '192.0.2.1'
  for (let i = 0; i < MAX_REFUSAL_LINES; i++) refuse(`10.0.${i >> 8}.${i & 255}`)
  expect(written()).toHaveLength(MAX_REFUSAL_LINES)
  for (let i = 0; i < 5_000; i++) refuse(`10.1.${i >> 8}.${i & 255}`)
  refuse(newcomer)
  expect(written()).toHaveLength(MAX_REFUSAL_LINES)
  vi.advanceTimersByTime(REFUSAL_INTERVAL_MS)
  const [rest, ...others] = written().slice(MAX_REFUSAL_LINES)
  expect(rest).toMatchObject({ level: 'warn', count: 5_001 })
  expect(rest).not.toHaveProperty('address')
  expect(others).toEqual([])
  refuse(newcomer)
  expect(written().at(-1)).toMatchObject({ event: 'request_refused', address: newcomer, count: 1 })
})
