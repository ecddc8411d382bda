import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createBackground } from '../../src/background.js'
import { createLog, createTally } from '../../src/log.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function createLines() {
  const lines: string[] = []
  return { lines, log: createLog('debug', { write: (line) => void lines.push(line) }) }
}

test('a task that takes long ends when everything stops, and is not begun again', async () => {
  let runs = 0
  const background = createBackground(
    [
      {
        name: 'long',
        everyMs: 1_000,
        run: (stopping) =>
          new Promise((resolve) => {
            runs++
            stopping.addEventListener('abort', resolve)
          }),
      },
    ],
    createLines().log,
  )
  background.start()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(runs).toBe(1)
  await background.stop()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(runs).toBe(1)
})

test('a task that fails is logged and tried again', async () => {
  const { lines, log } = createLines()
  const background = createBackground(
    [{ name: 'failing', everyMs: 1_000, run: () => Promise.reject(new Error('no')) }],
    log,
  )
  background.start()
  await vi.advanceTimersByTimeAsync(3_500)
  await background.stop()
  expect(lines).toHaveLength(3)
  expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'warn', task: 'failing', err: { message: 'no' } })
})

test('of a flood, one line a second says how often it happened', async () => {
  const { lines, log } = createLines()
  const count = createTally(log, 'too many')
  for (let i = 0; i < 300; i++) count()
  await vi.advanceTimersByTimeAsync(1_000)
  for (let i = 0; i < 20; i++) count()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'warn', count: 300, msg: 'too many' },
    { level: 'warn', count: 20, msg: 'too many' },
  ])
})
