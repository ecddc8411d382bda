import { expect, test } from 'vitest'
import { createCrowds } from '../../src/attempts/crowd.js'
import { Refusal } from '../../src/errors.js'

/** Lets `room` attempts in at a time, as the database does, and counts how often it is asked. */
function createBucket(room: number) {
  const inCrowd = createCrowds()
  const bucket = { room, asked: 0 }
  const attempt = (isRight: boolean) => async (noteGivenBack: () => void) => {
    bucket.asked++
    await Promise.resolve()
    if (bucket.room === 0) throw new Refusal('too_many_attempts')
    bucket.room--
    await new Promise(setImmediate)
    if (!isRight) return 'wrong'
    bucket.room++
    noteGivenBack()
    return 'right'
  }
  const make = (isRight: boolean, key = 'key') => inCrowd(key, attempt(isRight)).catch(() => 'refused')
  return { bucket, make }
}

const tally = (answers: string[]) => ({
  right: answers.filter((answer) => answer === 'right').length,
  wrong: answers.filter((answer) => answer === 'wrong').length,
  refused: answers.filter((answer) => answer === 'refused').length,
})

test('right attempts all get in, and each is repeated at most as often as another was given back', async () => {
  const { bucket, make } = createBucket(3)
  const answers = await Promise.all(Array.from({ length: 400 }, () => make(true)))
  expect(tally(answers)).toEqual({ right: 400, wrong: 0, refused: 0 })
  expect(bucket.asked).toBeLessThanOrEqual(800)
})

test('wrong attempts get no second chance', async () => {
  const { bucket, make } = createBucket(5)
  const answers = await Promise.all(Array.from({ length: 400 }, () => make(false)))
  expect(tally(answers)).toEqual({ right: 0, wrong: 5, refused: 395 })
  expect(bucket.asked).toBe(400)
})

test('right ones use up nothing, whatever comes with them', async () => {
  for (let wrong = 0; wrong <= 5; wrong++) {
    const { bucket, make } = createBucket(5)
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => make(i % 20 >= wrong)))
    expect(tally(answers).wrong).toBeLessThanOrEqual(5)
    expect(bucket.room).toBe(5 - tally(answers).wrong)
  }
})

test('who is refused while nobody else is under way is refused at once', async () => {
  const { bucket, make } = createBucket(0)
  expect(await make(true)).toBe('refused')
  expect(await Promise.all([make(true, 'one'), make(true, 'other')])).toEqual(['refused', 'refused'])
  expect(bucket.asked).toBe(3)
})

test('an attempt that fails for another reason is not repeated, and releases who waits', async () => {
  const inCrowd = createCrowds()
  const broken = inCrowd('key', async () => {
    await new Promise(setImmediate)
    throw new Error('broken')
  })
  const refused = inCrowd('key', async () => {
    throw new Refusal('too_many_attempts')
  })
  await expect(broken).rejects.toThrow('broken')
  await expect(refused).rejects.toMatchObject({ code: 'too_many_attempts' })
})
