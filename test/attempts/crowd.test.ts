import { expect, test } from 'vitest'
import { createCrowds } from '../../src/attempts/crowd.js'
import { Refusal } from '../../src/errors.js'

const standAside = <T>(pause: Promise<T>): Promise<T> => pause

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
  const make = (isRight: boolean, key = 'key') =>
    inCrowd(key, standAside, attempt(isRight)).catch(() => 'refused')
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
  const broken = inCrowd('key', standAside, async () => {
    await new Promise(setImmediate)
    throw new Error('broken')
  })
  const refused = inCrowd('key', standAside, async () => {
    throw new Refusal('too_many_attempts')
  })
  await expect(broken).rejects.toThrow('broken')
  await expect(refused).rejects.toMatchObject({ code: 'too_many_attempts' })
})

test('who is turned away while waiting takes nothing along: the next one gets its second chance', async () => {
  const inCrowd = createCrowds()
  const refuseOnce = (answer: string) => {
    let asked = 0
    return async () => {
      if (asked++ === 0) throw new Refusal('too_many_attempts')
      return answer
    }
  }
  let end = (): void => {}
  const first = inCrowd('key', standAside, async (noteGivenBack) => {
    await new Promise<void>((resolve) => {
      end = resolve
    })
    noteGivenBack()
    return 'first'
  })
  const turnAway: (() => void)[] = []
  const impatient = (pause: Promise<boolean>) =>
    Promise.race([pause, new Promise<never>((_, reject) => turnAway.push(() => reject(new Error('away'))))])
  const early = inCrowd('key', impatient, refuseOnce('early')).catch(String)
  const late = inCrowd('key', impatient, refuseOnce('late')).catch(String)
  const patient = inCrowd('key', standAside, refuseOnce('patient'))
  await new Promise(setImmediate)
  // One is turned away before it is called, one in the very moment.
  turnAway[0]!()
  turnAway[1]!()
  await Promise.resolve()
  end()
  expect(await Promise.all([first, early, late, patient])).toEqual([
    'first',
    'Error: away',
    'Error: away',
    'patient',
  ])
})
