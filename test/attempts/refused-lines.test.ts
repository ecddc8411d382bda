import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createEventRecorder, createEventTally, createLog } from '../../src/log.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function createRefusals() {
  const lines: string[] = []
  const log = createLog('info', { write: (line) => void lines.push(line) })
  const note = createEventTally(createEventRecorder(log), 'attempt_refused')
  const client = { address: '192.0.2.1', userAgent: '', signal: new AbortController().signal }
  let requests = 0
  const refuse = (times: number): void => {
    for (let i = 0; i < times; i++) note({ requestId: `request-${++requests}`, ...client })
  }
  const written = () => lines.map((line) => JSON.parse(line)).map(({ request_id: id, count }) => [id, count])
  return { refuse, written }
}

test('the first refused attempt is logged at once, and those of a flood in one line a second', () => {
  const { refuse, written } = createRefusals()
  refuse(300)
  expect(written()).toEqual([['request-1', 1]])
  vi.advanceTimersByTime(1_000)
  expect(written().slice(1)).toEqual([['request-300', 299]])
  refuse(20)
  vi.advanceTimersByTime(999)
  expect(written()).toHaveLength(2)
  vi.advanceTimersByTime(1)
  expect(written().slice(2)).toEqual([['request-320', 20]])
})

test('after a second of peace the next one is logged at once again, and silence writes nothing', () => {
  const { refuse, written } = createRefusals()
  refuse(1)
  vi.advanceTimersByTime(60_000)
  expect(written()).toHaveLength(1)
  refuse(1)
  expect(written()).toEqual([
    ['request-1', 1],
    ['request-2', 1],
  ])
})
