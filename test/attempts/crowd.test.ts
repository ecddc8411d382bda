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

/** An attempt that the database refuses, once or always, and how often it was made. */
function refusedAttempt(answer: string, times = 1) {
  const attempt = { asked: 0 }
  return {
    attempt,
    work: async () => {
      if (attempt.asked++ < times) throw new Refusal('too_many_attempts')
      return answer
    },
  }
}

/** An attempt that is under way until it is told to end. */
function openAttempt() {
  let end = (): void => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const work = async (noteGivenBack: () => void): Promise<string> => {
    await ended
    noteGivenBack()
    return 'right'
  }
  return { end, work }
}

/** Waits until it is told to give up. */
function createImpatience() {
  let giveUp = (): void => {}
  const gaveUp = new Promise<never>((_, reject) => {
    giveUp = () => reject(new Error('away'))
  })
  return { giveUp, standAside: (pause: Promise<boolean>) => Promise.race([pause, gaveUp]) }
}

/** Is turned away in the very moment in which the wait is over. */
async function standAsideTooLong(pause: Promise<boolean>): Promise<never> {
  await pause
  throw new Error('away')
}

/** Takes a while to notice that the wait is over. */
async function standAsideSlowly(pause: Promise<boolean>): Promise<boolean> {
  const again = await pause
  await new Promise(setImmediate)
  return again
}

test('what is given back while a refusal is still on its way is for one who is refused, once', async () => {
  const inCrowd = createCrowds()
  let answer = (): void => {}
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })
  const late = ['one', 'other'].map((name) => {
    const { attempt, work } = refusedAttempt(name)
    const asking = inCrowd('key', standAside, async () => {
      await answered
      return work()
    })
    return { attempt, outcome: asking.catch((error: Refusal) => error.code) }
  })
  await inCrowd('key', standAside, async (noteGivenBack) => noteGivenBack())
  answer()
  expect(await Promise.all(late.map(({ outcome }) => outcome))).toEqual(['one', 'too_many_attempts'])
  expect(late.map(({ attempt }) => attempt.asked)).toEqual([2, 1])
})

test('who is turned away while waiting goes at once and takes nothing along', async () => {
  const crowds = new Map()
  const inCrowd = createCrowds(crowds)
  const { end, work } = openAttempt()
  const first = inCrowd('key', standAside, work)
  const early = createImpatience()
  const goesEarly = inCrowd('key', early.standAside, refusedAttempt('early').work).catch(String)
  const goesLate = inCrowd('key', standAsideTooLong, refusedAttempt('late').work).catch(String)
  const patient = inCrowd('key', standAside, refusedAttempt('patient').work)
  await new Promise(setImmediate)
  early.giveUp()
  expect(await goesEarly).toBe('Error: away')
  end()
  expect(await Promise.all([first, goesLate, patient])).toEqual(['right', 'Error: away', 'patient'])
  expect(crowds.size).toBe(0)
})

test('who is turned away in the moment in which waiting ends in vain leaves nothing to others', async () => {
  const inCrowd = createCrowds()
  let end = (): void => {}
  const first = inCrowd('key', standAside, async () => {
    await new Promise<void>((resolve) => {
      end = resolve
    })
  })
  const turnedAway = inCrowd('key', standAsideTooLong, refusedAttempt('late').work).catch(String)
  const slow = inCrowd('key', standAsideSlowly, refusedAttempt('slow').work).catch(String)
  await new Promise(setImmediate)
  end()
  await Promise.all([first, turnedAway])
  const { attempt, work } = refusedAttempt('newcomer')
  const newcomer = inCrowd('key', standAside, work).catch(String)
  await Promise.all([slow, newcomer])
  expect(attempt.asked).toBe(1)
})

test('who comes while others still notice that their wait was in vain is in one crowd with them', async () => {
  const crowds = new Map()
  const inCrowd = createCrowds(crowds)
  let end = (): void => {}
  const first = inCrowd('key', standAside, async () => {
    await new Promise<void>((resolve) => {
      end = resolve
    })
  })
  const slow = inCrowd('key', standAsideSlowly, refusedAttempt('slow').work).catch(String)
  await new Promise(setImmediate)
  end()
  await first
  const newcomer = openAttempt()
  const right = inCrowd('key', standAside, newcomer.work)
  await slow
  const refused = inCrowd('key', standAside, refusedAttempt('refused').work)
  await new Promise(setImmediate)
  newcomer.end()
  expect(await Promise.all([right, refused])).toEqual(['right', 'refused'])
  expect(crowds.size).toBe(0)
})
