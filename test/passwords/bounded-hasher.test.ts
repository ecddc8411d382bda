import { beforeEach, describe, expect, test } from 'vitest'
import { Refusal } from '../../src/errors.js'
import { boundHasher } from '../../src/passwords/bounded-hasher.js'
import type { PasswordHasher, PasswordVerdict } from '../../src/passwords/password-hasher.js'

interface Started {
  readonly name: string
  finish(): void
  fail(error: Error): void
}

const RIGHT: PasswordVerdict = { matches: true, outdated: false }

/** Computes nothing: every hash runs until the test ends it. */
function createManualHasher(): { hasher: PasswordHasher; started: Started[] } {
  const started: Started[] = []
  const run = <T>(name: string, result: T): Promise<T> =>
    new Promise((resolve, reject) => {
      started.push({ name, finish: () => resolve(result), fail: reject })
    })
  const hasher: PasswordHasher = {
    hash: (password) => run(password, 'stored'),
    verify: (password) => run(password, RIGHT),
  }
  return { hasher, started }
}

/** Lets everything that is ready run; nothing here waits for time. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('with two hashes at once and three in the queue', () => {
  let started: Started[]
  let bounded: PasswordHasher
  const namesOf = (): string[] => started.map(({ name }) => name)
  const verify = (name: string): Promise<PasswordVerdict> => bounded.verify(name, 'stored')

  beforeEach(() => {
    const manual = createManualHasher()
    started = manual.started
    bounded = boundHasher(manual.hasher, { inFlight: 2, waiting: 3 })
  })

  test('starts two at once and the others in the order in which they came', async () => {
    const answers = ['1', '2', '3', '4', '5'].map(verify)
    await settle()
    expect(namesOf()).toEqual(['1', '2'])
    started[1]?.finish()
    await settle()
    expect(namesOf()).toEqual(['1', '2', '3'])
    started[0]?.finish()
    started[2]?.finish()
    await settle()
    expect(namesOf()).toEqual(['1', '2', '3', '4', '5'])
    started[3]?.finish()
    started[4]?.finish()
    expect(await Promise.all(answers)).toEqual([RIGHT, RIGHT, RIGHT, RIGHT, RIGHT])
  })

  test('counts new hashes and checks alike', async () => {
    void bounded.hash('1')
    void bounded.verify('2', null)
    void bounded.hash('3')
    void bounded.verify('4', 'stored')
    await settle()
    expect(namesOf()).toEqual(['1', '2'])
    started[0]?.finish()
    started[1]?.finish()
    await settle()
    expect(namesOf()).toEqual(['1', '2', '3', '4'])
  })

  test('refuses at once what the queue has no room for, and says when to come back', async () => {
    const answers = ['1', '2', '3', '4', '5'].map(verify)
    const refusal: unknown = await verify('6').catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(Refusal)
    expect(refusal).toMatchObject({ code: 'overloaded', status: 503, retryAfterSeconds: 2 })
    for (let i = 0; i < 5; i++) {
      started[i]?.finish()
      await settle()
    }
    expect(await Promise.all(answers)).toEqual([RIGHT, RIGHT, RIGHT, RIGHT, RIGHT])
    expect(namesOf()).not.toContain('6')
  })

  test('has room again once a hash has ended', async () => {
    for (const name of ['1', '2', '3', '4', '5']) void verify(name)
    await settle()
    started[0]?.finish()
    await settle()
    void verify('6')
    await expect(verify('7')).rejects.toMatchObject({ code: 'overloaded' })
  })

  test('a hash that fails tells its caller and hands its turn on', async () => {
    const failing = verify('1')
    for (const name of ['2', '3']) void verify(name)
    await settle()
    started[0]?.fail(new Error('out of memory'))
    await expect(failing).rejects.toThrow('out of memory')
    await settle()
    expect(namesOf()).toEqual(['1', '2', '3'])
  })

  test('still runs two at once after many have come, failed and gone', async () => {
    for (let round = 0; round < 20; round++) {
      const answers = Promise.allSettled(['a', 'b', 'c', 'd', 'e'].map(verify))
      for (let i = 0; i < 5; i++) {
        await settle()
        const next = started.shift()
        if (i % 2 === 0) next?.fail(new Error('failed'))
        else next?.finish()
      }
      await answers
    }
    for (const name of ['1', '2', '3']) void verify(name)
    await settle()
    expect(namesOf()).toEqual(['1', '2'])
  })
})
