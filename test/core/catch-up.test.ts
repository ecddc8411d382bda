import { beforeEach, expect, test } from 'vitest'
import { type CatchUp, createCatchUp } from '../../src/core/catch-up.js'

interface Read {
  finish(): void
  fail(error: Error): void
}

let reads: Read[]
let heard: string[]
let reader: CatchUp

beforeEach(() => {
  reads = []
  heard = []
  reader = createCatchUp({
    read: () =>
      new Promise((resolve, reject) => {
        reads.push({ finish: resolve, fail: reject })
      }),
    onFailure: (error) => heard.push((error as Error).message),
    onRecovery: () => heard.push('recovered'),
  })
})

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('who calls during a read gets one that begins after it, and all who call share it', async () => {
  const first = reader.catchUp()
  const later = [reader.catchUp(), reader.catchUp(), reader.catchUp()]
  expect(reads).toHaveLength(1)
  reads[0]!.finish()
  await first
  await nextTurn()
  expect(reads).toHaveLength(2)
  reads[1]!.finish()
  await Promise.all(later)
  expect(reads).toHaveLength(2)
  expect(heard).toEqual([])
})

test('a read that fails is for those who asked for it; who came later gets their own', async () => {
  const first = reader.catchUp()
  const later = reader.catchUp()
  reads[0]!.fail(new Error('away'))
  await expect(first).rejects.toThrow('away')
  await nextTurn()
  reads[1]!.finish()
  await expect(later).resolves.toBeUndefined()
})

test('only the beginning and the end of a time of failures are told', async () => {
  for (const message of ['away', 'still away']) {
    const read = reader.catchUp()
    reads.at(-1)!.fail(new Error(message))
    await expect(read).rejects.toThrow(message)
    expect(reader.isFailing()).toBe(true)
  }
  const read = reader.catchUp()
  reads.at(-1)!.finish()
  await read
  expect(reader.isFailing()).toBe(false)
  expect(heard).toEqual(['away', 'recovered'])
})

test('it settles when the last read has ended, however it has ended', async () => {
  const [first, second] = [reader.catchUp(), reader.catchUp()]
  let isSettled = false
  const settled = reader.settled().then(() => {
    isSettled = true
  })
  reads[0]!.finish()
  await first
  await nextTurn()
  expect(isSettled).toBe(false)
  reads[1]!.fail(new Error('away'))
  await expect(second).rejects.toThrow('away')
  await settled
  await expect(reader.settled()).resolves.toBeUndefined()
})
