import { beforeEach, describe, expect, test } from 'vitest'
import type { PasswordVerifier, PasswordVerdict } from '../../src/passwords/password-hasher.js'
import { createPasswordQueue, type PasswordQueue } from '../../src/passwords/password-queue.js'

interface Started {
  readonly name: string
  finish(): void
  fail(error: Error): void
}

const RIGHT: PasswordVerdict = { matches: true, outdated: false }
/** Sixteen have a place, two of them at work. */
const MIN_WAITING = 14
const MAX_WAIT_MS = 2_000

/** Computes nothing: every hash runs until the test ends it. */
function createManualHasher(): { hasher: PasswordVerifier; started: Started[] } {
  const started: Started[] = []
  const run = <T>(name: string, result: T): Promise<T> =>
    new Promise((resolve, reject) => {
      started.push({ name, finish: () => resolve(result), fail: reject })
    })
  const hasher: PasswordVerifier = {
    hash: (password) => run(password, 'stored'),
    verify: (password) => run(password, RIGHT),
  }
  return { hasher, started }
}

/** Lets everything that is ready run; nothing here waits for time. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

let started: Started[]
let queue: PasswordQueue
let now: number
let refusals: number

beforeEach(() => {
  const manual = createManualHasher()
  started = manual.started
  now = 0
  refusals = 0
  queue = createPasswordQueue(manual.hasher, {
    inFlight: 2,
    maxWaitMs: MAX_WAIT_MS,
    monotonicMs: () => now,
    onRefused: () => refusals++,
  })
})

const namesOf = (): string[] => started.map(({ name }) => name)

function verify(name: string, address = '192.0.2.1', signal = new AbortController().signal, isKnown = false) {
  const answer = queue.admit({ address, signal, isKnown }, (hasher) => hasher.verify(name, 'stored'))
  answer.catch(() => {})
  return answer
}

const many = (count: number, prefix: string, address?: string) =>
  Array.from({ length: count }, (_, i) => verify(`${prefix}${i}`, address))

/** Ends the hash at this position, so long after it began. */
async function finish(position: number, tookMs = 0): Promise<void> {
  now += tookMs
  started[position]?.finish()
  await settle()
}

const OVERLOADED = { code: 'overloaded', status: 503 }

describe('turns', () => {
  test('two run at once, the others in the order in which they came', async () => {
    const answers = ['1', '2', '3', '4', '5'].map((name) => verify(name))
    await settle()
    expect(namesOf()).toEqual(['1', '2'])
    await finish(1)
    expect(namesOf()).toEqual(['1', '2', '3'])
    for (const position of [0, 2, 3, 4]) await finish(position)
    expect(namesOf()).toEqual(['1', '2', '3', '4', '5'])
    expect(await Promise.all(answers)).toEqual([RIGHT, RIGHT, RIGHT, RIGHT, RIGHT])
  })

  test('new hashes and checks count alike, and one request may take several', async () => {
    const client = { address: '192.0.2.1', signal: new AbortController().signal, isKnown: false }
    const change = queue.admit(client, async (hasher) => {
      await hasher.verify('old', 'stored')
      return hasher.hash('new')
    })
    void verify('2')
    void verify('3')
    await settle()
    expect(namesOf()).toEqual(['old', '2'])
    await finish(0)
    await finish(1)
    expect(namesOf()).toEqual(['old', '2', '3', 'new'])
    await finish(3)
    expect(await change).toBe('stored')
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

  test('still two at once after many have come, failed and gone', async () => {
    for (let round = 0; round < 20; round++) {
      const answers = Promise.allSettled(many(5, 'round'))
      for (let i = 0; i < 5; i++) {
        await settle()
        const next = started.shift()
        if (i % 2 === 0) next?.fail(new Error('failed'))
        else next?.finish()
      }
      await answers
    }
    void many(3, 'last')
    await settle()
    expect(namesOf()).toHaveLength(2)
  })
})

describe('admission', () => {
  test('sixteen may wait before anything is known of the pace; the next is refused before its work begins', async () => {
    void many(2 + MIN_WAITING, 'early')
    let began = false
    const client = { address: '192.0.2.1', signal: new AbortController().signal, isKnown: false }
    const late = queue.admit(client, async () => {
      began = true
    })
    await expect(late).rejects.toMatchObject(OVERLOADED)
    expect(began).toBe(false)
    expect(refusals).toBe(1)
  })

  test('as many may wait as the pace just seen can hash in time', async () => {
    void many(2, 'first')
    await settle()
    await finish(0, 50)
    await finish(1)
    // Two at once, 50 ms each: eighty in two seconds.
    void many(2 + 80, 'next')
    await expect(verify('late')).rejects.toMatchObject({ ...OVERLOADED, retryAfterSeconds: 2 })
  })

  test('never fewer than sixteen, and the refused hear how long the queue is', async () => {
    void many(2, 'first')
    await settle()
    await finish(0, 1_000)
    await finish(1)
    void many(2 + MIN_WAITING, 'next')
    await expect(verify('late')).rejects.toMatchObject({ ...OVERLOADED, retryAfterSeconds: 7 })
  })

  test('never more than a thousand or so, however fast the hashes', async () => {
    void many(2, 'first')
    await settle()
    await finish(0)
    await finish(1)
    void many(2 + 1_024, 'next')
    await expect(verify('late')).rejects.toMatchObject(OVERLOADED)
  })

  test('there is room again once a request is done, whatever came of it', async () => {
    const answers = many(2 + MIN_WAITING, 'early')
    await settle()
    started[0]?.fail(new Error('failed'))
    await expect(answers[0]).rejects.toThrow('failed')
    const late = verify('late')
    await expect(verify('later')).rejects.toMatchObject(OVERLOADED)
    for (let i = 1; i < 3 + MIN_WAITING; i++) await finish(i)
    expect(await late).toEqual(RIGHT)
  })

  test('who has waited three times as long as anybody should is refused after all', async () => {
    void many(2, 'first')
    await settle()
    await finish(0, 100)
    await finish(1)
    const answers = many(5, 'next')
    await settle()
    await finish(2, 3 * MAX_WAIT_MS + 1)
    for (const late of answers.slice(2)) await expect(late).rejects.toMatchObject(OVERLOADED)
    expect(namesOf()).toEqual(['first0', 'first1', 'next0', 'next1'])
    // The turn was given back.
    void verify('new')
    await settle()
    expect(namesOf()).toHaveLength(5)
  })
})

describe('a slow machine', () => {
  test('all sixteen who always may wait are served, however slow the hashes', async () => {
    void many(2, 'first')
    await settle()
    await finish(0, 5_000)
    await finish(1)
    const answers = many(2 + MIN_WAITING, 'next')
    await settle()
    for (let i = 2; i < 4 + MIN_WAITING; i += 2) {
      await finish(i, 5_000)
      await finish(i + 1)
    }
    expect(await Promise.all(answers)).toEqual(answers.map(() => RIGHT))
  })

  test('a process that was stopped for an hour tells nobody to come back in an hour', async () => {
    void many(2, 'first')
    await settle()
    await finish(0, 250)
    await finish(1, 250)
    void many(2, 'second')
    await settle()
    await finish(2, 3_600_000)
    await finish(3)
    void many(2 + MIN_WAITING, 'next')
    await expect(verify('late')).rejects.toMatchObject({ ...OVERLOADED, retryAfterSeconds: 7 })
  })

  test('nobody is told to come back later than in a minute', async () => {
    void many(2, 'first')
    await settle()
    await finish(0, 20_000)
    await finish(1)
    void many(2 + MIN_WAITING, 'next')
    await expect(verify('late')).rejects.toMatchObject({ ...OVERLOADED, retryAfterSeconds: 60 })
  })

  test('while hashes never end, who has waited too long makes room for the next', async () => {
    const answers = many(2 + MIN_WAITING, 'early')
    await settle()
    now += 60_000
    void verify('late')
    for (const answer of answers.slice(2)) await expect(answer).rejects.toMatchObject(OVERLOADED)
    void many(MIN_WAITING - 1, 'more')
    await expect(verify('too many')).rejects.toMatchObject(OVERLOADED)
  })
})

describe('clients that hang up', () => {
  test('while their password is being hashed keep the place until that is done', async () => {
    const gone = new AbortController()
    const leaving = verify('gone', '192.0.2.1', gone.signal)
    void many(1 + MIN_WAITING, 'next')
    await settle()
    gone.abort()
    await expect(verify('late')).rejects.toMatchObject(OVERLOADED)
    await finish(0, 1_000)
    expect(await leaving).toEqual(RIGHT)
    void verify('later')
    await expect(verify('too late')).rejects.toMatchObject(OVERLOADED)
  })

  test('lose their place to others', async () => {
    const gone = new AbortController()
    void many(2, 'early')
    const leaving = Array.from({ length: MIN_WAITING }, (_, i) =>
      verify(`gone${i}`, '192.0.2.1', gone.signal),
    )
    await expect(verify('late')).rejects.toMatchObject(OVERLOADED)
    gone.abort()
    for (const answer of leaving) await expect(answer).rejects.toMatchObject({ code: 'malformed_request' })
    const next = verify('next')
    await finish(0)
    expect(namesOf()).toEqual(['early0', 'early1', 'next'])
    await finish(2)
    expect(await next).toEqual(RIGHT)
  })

  test('cost no hash when they did so before their turn was asked for', async () => {
    await expect(verify('gone', '192.0.2.1', AbortSignal.abort())).rejects.toMatchObject({
      code: 'malformed_request',
    })
    await settle()
    expect(namesOf()).toEqual([])
  })
})

describe('fairness between addresses', () => {
  const CROWD = '198.51.100.7'

  test('turns go round: a newcomer does not wait behind all of a crowd', async () => {
    void many(10, 'crowd', CROWD)
    void verify('a', '192.0.2.1')
    void verify('b', '192.0.2.2')
    await settle()
    for (let i = 0; i < 4; i++) await finish(i)
    expect(namesOf()).toEqual(['crowd0', 'crowd1', 'crowd2', 'a', 'b', 'crowd3'])
  })

  test('when all places are taken, the last of the crowd makes room', async () => {
    const crowd = many(2 + MIN_WAITING, 'crowd', CROWD)
    const other = verify('other')
    await expect(crowd.at(-1)).rejects.toMatchObject(OVERLOADED)
    await settle()
    await finish(0)
    await finish(1)
    expect(namesOf()).toContain('other')
    await finish(3)
    expect(await other).toEqual(RIGHT)
  })

  test('nobody has to give up a place that is the only one they have', async () => {
    const admitted = Array.from({ length: 2 + MIN_WAITING }, (_, i) => verify(`${i}`, `192.0.2.${i}`))
    await expect(verify('late', '198.51.100.1')).rejects.toMatchObject(OVERLOADED)
    await settle()
    for (let i = 0; i < admitted.length; i++) await finish(i)
    expect(await Promise.all(admitted)).toEqual(admitted.map(() => RIGHT))
  })

  test('one network with an address for each place makes room like one address', async () => {
    const crowd = Array.from({ length: 2 + MIN_WAITING }, (_, i) => verify(`${i}`, `2001:db8:1:${i}::1`))
    const other = verify('other', '2001:db8:2::1')
    await expect(crowd.at(-1)).rejects.toMatchObject(OVERLOADED)
    // Who has come from there since does not get the place back.
    await expect(verify('crowd', '2001:db8:1:ffff::1')).rejects.toMatchObject(OVERLOADED)
    await settle()
    for (let i = 0; i < 2 + MIN_WAITING; i++) await finish(i)
    expect(await other).toEqual(RIGHT)
  })

  test('two networks share the places, however many addresses each of them has', async () => {
    void many(2 + MIN_WAITING, 'crowd', CROWD)
    const second = await Promise.allSettled(
      Array.from({ length: 30 }, (_, i) => Promise.race([verify(`${i}`, `2001:db8:1:${i}::1`), settle()])),
    )
    expect(second.filter(({ status }) => status === 'fulfilled')).toHaveLength((2 + MIN_WAITING) / 2)
  })

  test('an address that has come and gone counts from the beginning again', async () => {
    void many(2 + MIN_WAITING, 'crowd', CROWD)
    for (let i = 0; i < 2 + MIN_WAITING; i++) {
      await settle()
      await finish(i, 150)
    }
    void many(1 + MIN_WAITING, 'other', '192.0.2.1')
    void verify('again', CROWD)
    // Had it kept its places, this one would displace it.
    await expect(Promise.race([verify('more', CROWD), settle().then(() => 'waits')])).resolves.toBe('waits')
  })

  test('a second crowd gets half of the places, not more', async () => {
    void many(2 + MIN_WAITING, 'crowd', CROWD)
    const second = await Promise.allSettled(
      many(30, 'second', '192.0.2.1').map((answer) => Promise.race([answer, settle()])),
    )
    expect(second.filter(({ status }) => status === 'fulfilled')).toHaveLength((2 + MIN_WAITING) / 2)
  })

  test.for([
    ['two addresses of one IPv6 network', '2001:db8:1:2::1', '2001:db8:1:2:ffff::9', 1],
    ['an IPv4 address and its IPv6 spelling', '192.0.2.1', '::ffff:192.0.2.1', 1],
    ['neighbouring IPv6 networks', '2001:db8:1:2::1', '2001:db8:1:3::1', 2],
    ['neighbouring IPv4 addresses', '192.0.2.1', '192.0.2.2', 2],
  ] as const)('%s', async ([, one, other, clients]) => {
    void many(2 + MIN_WAITING, 'one', one)
    const admitted = Promise.race([verify('other', other), settle().then(() => 'waits')])
    if (clients === 2) expect(await admitted).toBe('waits')
    else await expect(admitted).rejects.toMatchObject(OVERLOADED)
  })
})

describe('a client that is known', () => {
  const PLACES = 16
  /** Whether those of so many clients, each at an address of its own, who have come now have a place. */
  async function come(count: number, network: string, isKnown: boolean): Promise<boolean[]> {
    const clients = Array.from({ length: count }, (_, i) => {
      const client = { hasPlace: true }
      verify(`${network}${i}`, `${network}.${i + 1}`, new AbortController().signal, isKnown).catch(() => {
        client.hasPlace = false
      })
      return client
    })
    await settle()
    return clients.map(({ hasPlace }) => hasPlace)
  }
  const countOf = (places: boolean[]): number => places.filter(Boolean).length

  test('takes the place of the last stranger, until strangers have no more than half', async () => {
    expect(countOf(await come(PLACES, '192.0.2', false))).toBe(PLACES)
    expect(countOf(await come(PLACES, '198.51.100', true))).toBe(PLACES / 2)
    expect(refusals).toBe(PLACES)
  })

  test('does not make room for a stranger while places are kept, however many it has', async () => {
    void verify('slow enough for there to be sixteen places all the time')
    await finish(0, 10_000)
    await come(PLACES, '192.0.2', false)
    await come(1, '198.51.100', true)
    for (let i = 1; i <= 6; i++) await finish(i)
    const office = ['one', 'two', 'three'].map((name) =>
      verify(name, '203.0.113.1', new AbortController().signal, true),
    )
    await settle()
    expect(countOf(await come(3, '100.64.0', false))).toBe(0)
    for (let i = 7; i <= PLACES + 4; i++) await finish(i)
    expect(await Promise.all(office)).toEqual([RIGHT, RIGHT, RIGHT])
  })

  test('has half of the places kept for a while after one was missing', async () => {
    void verify('slow enough for there to be sixteen places all the time')
    await finish(0, 10_000)
    await come(PLACES, '192.0.2', false)
    await come(1, '198.51.100', true)
    for (let i = 1; i <= PLACES; i++) await finish(i)
    now += MAX_WAIT_MS - 1
    expect(countOf(await come(PLACES, '192.0.2', false))).toBe(PLACES / 2)
    expect(countOf(await come(PLACES, '203.0.113', true))).toBe(PLACES / 2)
    for (let i = PLACES + 1; i <= 2 * PLACES; i++) await finish(i)
    now += 1
    expect(countOf(await come(PLACES, '192.0.2', false))).toBe(PLACES)
  })
})
