import { describe, expect, onTestFinished, test } from 'vitest'
import { createAttemptKeys } from '../../src/attempts/attempt.js'
import { purgeAttempts } from '../../src/attempts/purge.js'
import { migrate } from '../../src/db/migrate.js'
import { nativeHashEngine } from '../support/native-hash-engine.js'
import {
  buildTestApp,
  NOW,
  PASSWORD,
  type Reply,
  SECRET,
  type TestApp,
  type User,
  useTestApp,
} from '../support/test-app.js'
import { openTestDatabase } from '../support/test-database.js'
import { waitUntil } from '../support/wait-until.js'
import { expectProblem } from './expect-problem.js'
import { disable } from './users-table.js'

const WRONG = 'wr0ng-Password!'
const environment = {
  RATE_LIMIT: 'on',
  RATE_LIMIT_REQUESTS: '1000000000',
  RATE_LIMIT_REGISTRATIONS: '1000000000',
  HASH_THREADS: '2',
}

let checks = 0
let gate = Promise.resolve()
/** Counts the passwords that were compared. */
const hashEngine: typeof nativeHashEngine = {
  ...nativeHashEngine,
  async bcryptVerify(...values) {
    checks++
    await gate
    return nativeHashEngine.bcryptVerify(...values)
  },
}
const checksDuring = async (work: () => Promise<unknown>): Promise<number> => {
  const before = checks
  await work()
  return checks - before
}

/** Lets no comparison end until it is released. */
function holdHashes() {
  const before = checks
  let release = (): void => {}
  gate = new Promise((resolve) => {
    release = resolve
  })
  return { held: () => checks - before, release }
}

const app = useTestApp({ environment, hashEngine })

let addresses = 0
/** An address from which nothing has come yet. */
const newAddress = (): string => `198.51.${Math.floor(++addresses / 250)}.${(addresses % 250) + 1}`
let emails = 0
const newEmail = (): string => `nobody-${++emails}@example.com`

const logIn = (email: string, password: string, remoteAddress: string, server: TestApp = app) =>
  server.send({ method: 'POST', url: '/api/auth/login', payload: { email, password }, remoteAddress })

const changePassword = (user: User, password: string, remoteAddress: string) =>
  app.send({
    method: 'POST',
    url: '/api/auth/password',
    headers: { authorization: `Bearer ${user.token}` },
    payload: { current_password: password, new_password: 'N3w-horse!staple' },
    remoteAddress,
  })

function expectRefused(reply: Reply, retryAfterSeconds: number): void {
  expectProblem(reply, 'too_many_attempts')
  expect(Number(reply.headers['retry-after'])).toBe(retryAfterSeconds)
}

async function fail(times: number, email: string, address: string, server: TestApp = app): Promise<void> {
  for (let i = 0; i < times; i++) {
    expectProblem(await logIn(email, WRONG, address, server), 'invalid_credentials')
  }
}

/** Failures counted at this account from this machine. */
async function countAttempts(email: string): Promise<number> {
  const { pair } = createAttemptKeys(SECRET)(email, '127.0.0.1')
  const [row] = await app.database.query<{ failures: number }>(
    `select round(extract(epoch from forgotten_at - counted_at) / 86400)::int as failures
       from keyward_password_attempts where key = $1`,
    [pair],
  )
  return row?.failures ?? 0
}

/** What an address still gets: how many wrong passwords in a row are answered, and the wait after them. */
async function failUntilRefused(email: () => string, address: () => string) {
  for (let failures = 0; ; failures++) {
    const reply = await logIn(email(), WRONG, address())
    if (reply.status === 429) return { failures, wait: Number(reply.headers['retry-after']) }
  }
}

describe('one client at one account', () => {
  test('may fail five times, then waits 30 s, twice as long each time, and 15 minutes at most', async () => {
    const [{ email }, address] = [await app.newUser(), newAddress()]
    await fail(5, email, address)
    for (const wait of [30, 60, 120, 240, 480, 900, 900]) {
      expectRefused(await logIn(email, WRONG, address), wait)
      app.passSeconds(wait - 1)
      expectRefused(await logIn(email, PASSWORD, address), 1)
      app.passSeconds(1)
      await fail(1, email, address)
    }
  })

  test('gets in with the right password as soon as the wait is over, and then may fail as before', async () => {
    const [user, address] = [await app.newUser(), newAddress()]
    await fail(5, user.email, address)
    app.passSeconds(30)
    expect((await logIn(user.email, PASSWORD, address)).status).toBe(200)
    await fail(5, user.email, address)
    expectRefused(await logIn(user.email, PASSWORD, address), 30)
  })

  test('is forgiven one failure a day', async () => {
    const [{ email }, address] = [await app.newUser(), newAddress()]
    await fail(4, email, address)
    app.passSeconds(86_400)
    await fail(2, email, address)
    expectRefused(await logIn(email, WRONG, address), 30)
  })

  test('costs nothing when it is refused: no look-up, no hash, and no further wait', async () => {
    const [{ email }, address] = [await app.newUser(), newAddress()]
    await fail(5, email, address)
    const spent = await checksDuring(async () => {
      for (let i = 0; i < 20; i++) expectRefused(await logIn(email, PASSWORD, address), 30)
    })
    expect(spent).toBe(0)
  })

  test('does not get past the limit in another spelling of the address, by any header, or by changing the password', async () => {
    const user = await app.newUser({ email: 'strasse@bücher.example' })
    const address = newAddress()
    const spellings = ['STRASSE@bücher.example', ' strasse@XN--BCHER-KVA.example', 'Strasse@BÜCHER.example\t']
    for (const spelling of spellings) await fail(1, spelling, address)
    expectProblem(await changePassword(user, WRONG, address), 'wrong_password')
    expectProblem(await changePassword(user, WRONG, address), 'wrong_password')
    expectRefused(await changePassword(user, PASSWORD, address), 30)
    for (const spelling of [...spellings, user.email]) {
      expectRefused(await logIn(spelling, PASSWORD, address), 30)
    }
    for (const name of ['x-forwarded-for', 'x-real-ip', 'forwarded', 'cf-connecting-ip', 'client-ip']) {
      const headers = { [name]: name === 'forwarded' ? 'for=203.0.113.9' : '203.0.113.9' }
      const payload = { email: user.email, password: PASSWORD }
      const url = '/api/auth/login'
      expectRefused(await app.send({ method: 'POST', url, headers, payload, remoteAddress: address }), 30)
    }
  })

  test('shares one count where another stack has stored the address in its own spelling', async () => {
    const [user, address] = [await app.newUser(), newAddress()]
    await app.database.query('update users set email = $2 where id = $1', [user.id, 'Ägir@Bücher.example'])
    for (let i = 0; i < 3; i++) expectProblem(await changePassword(user, WRONG, address), 'wrong_password')
    await fail(2, 'Ägir@xn--bcher-kva.EXAMPLE', address)
    expectRefused(await logIn('Ägir@bücher.example', PASSWORD, address), 30)
    expectRefused(await changePassword(user, PASSWORD, address), 30)
  })

  test.for([
    ['the addresses of one IPv6 /64', '2001:db8:7:1::1', '2001:db8:7:1:ffff:ffff:ffff:ffff'],
    ['an IPv4 address and its IPv6 form', '203.0.113.77', '::ffff:203.0.113.77'],
  ] as const)('is one client under %s', async ([, first, second]) => {
    const { email } = await app.newUser()
    await fail(3, email, first)
    await fail(2, email, second)
    expectRefused(await logIn(email, PASSWORD, first), 30)
    expectRefused(await logIn(email, PASSWORD, second), 30)
  })

  test('keeps nobody out in the next /64', async () => {
    const { email } = await app.newUser()
    await fail(5, email, '2001:db8:8:1::1')
    expect((await logIn(email, PASSWORD, '2001:db8:8:2::1')).status).toBe(200)
  })
})

/** Comes back while the server is too busy, as somebody who is guessing would. */
async function untilAnswered(send: () => Promise<Reply>): Promise<Reply> {
  for (;;) {
    const reply = await send()
    if (reply.status !== 503) return reply
  }
}

describe('200 parallel guesses', () => {
  test('cost exactly five checks', async () => {
    const [{ email }, address] = [await app.newUser(), newAddress()]
    const replies: Reply[] = []
    const spent = await checksDuring(async () => {
      const guesses = Array.from({ length: 200 }, () => untilAnswered(() => logIn(email, WRONG, address)))
      replies.push(...(await Promise.all(guesses)))
    })
    expect(spent).toBe(5)
    expect(replies.filter(({ status }) => status === 401)).toHaveLength(5)
    for (const reply of replies.filter(({ status }) => status !== 401)) expectRefused(reply, 30)
  })

  test('cost exactly five checks on two nodes together, by log-in and change of password together', async () => {
    const other = await buildTestApp(app.database, { environment, hashEngine })
    onTestFinished(() => other.server.close().then(() => {}))
    other.passSeconds((await nowOf(app)) - (await nowOf(other)))
    const [user, address] = [await app.newUser(), newAddress()]
    const spent = await checksDuring(() =>
      Promise.all(
        Array.from({ length: 200 }, (_, i) => {
          if (i % 3 === 0) return untilAnswered(() => changePassword(user, WRONG, address))
          return untilAnswered(() => logIn(user.email, WRONG, address, i % 3 === 1 ? app : other))
        }),
      ),
    )
    expect(spent).toBe(5)
    expectRefused(await logIn(user.email, PASSWORD, address), 30)
    expectRefused(await logIn(user.email, PASSWORD, address, other), 30)
  })
})

/** Seconds since the epoch on this server's clock. */
async function nowOf(server: TestApp): Promise<number> {
  const { created_at: createdAt } = (await (await server.newUser()).get('/api/auth/profile')).body
  return Date.parse(createdAt) / 1000
}

test('any number of parallel log-ins with the right password get in', async () => {
  const [{ email }, address] = [await app.newUser(), newAddress()]
  await fail(4, email, address)
  const replies = await Promise.all(
    Array.from({ length: 12 }, () => untilAnswered(() => logIn(email, PASSWORD, address))),
  )
  expect(replies.map(({ status }) => status)).toEqual(Array(12).fill(200))
})

describe('a victim whose account is attacked from many addresses', () => {
  test('gets in at the first try where they have logged in before, and strangers do not', async () => {
    const [user, home] = [await app.newUser(), newAddress()]
    expect((await logIn(user.email, PASSWORD, home)).status).toBe(200)
    let answered = 0
    for (let second = 0; second < 60; second += 6) {
      for (let i = 0; i < 100; i++) {
        if ((await logIn(user.email, WRONG, newAddress())).status === 401) answered++
      }
      expect((await logIn(user.email, PASSWORD, home)).status).toBe(200)
      app.passSeconds(6)
    }
    // Ten at once, and one after 30 s.
    expect(answered).toBe(11)
    expectProblem(await logIn(user.email, PASSWORD, newAddress()), 'too_many_attempts')
  })

  test('gets in where they registered, and where they changed the password', async () => {
    const [user, elsewhere] = [await app.newUser(), newAddress()]
    expect((await changePassword(user, PASSWORD, elsewhere)).status).toBe(200)
    await failUntilRefused(() => user.email, newAddress)
    for (const address of ['127.0.0.1', elsewhere]) {
      expect((await logIn(user.email, 'N3w-horse!staple', address)).status).toBe(200)
    }
  })

  test('may mistype there as if there were no attack, but no more than that', async () => {
    const [user, home] = [await app.newUser(), newAddress()]
    await logIn(user.email, PASSWORD, home)
    await failUntilRefused(() => user.email, newAddress)
    await fail(5, user.email, home)
    expectRefused(await logIn(user.email, PASSWORD, home), 30)
  })

  test('is known at a place for 90 days after the last log-in from there', async () => {
    const [user, early, late] = [await app.newUser(), newAddress(), newAddress()]
    for (const address of [early, late]) await logIn(user.email, PASSWORD, address)
    app.passSeconds(60 * 86_400)
    await logIn(user.email, PASSWORD, late)
    app.passSeconds(30 * 86_400)
    await failUntilRefused(() => user.email, newAddress)
    expectProblem(await logIn(user.email, PASSWORD, early), 'too_many_attempts')
    expect((await logIn(user.email, PASSWORD, late)).status).toBe(200)
  })

  test('does not give strangers new attempts by logging in', async () => {
    const [user, home, abroad] = [await app.newUser(), newAddress(), newAddress()]
    await logIn(user.email, PASSWORD, home)
    for (let i = 0; i < 9; i++) await fail(1, user.email, newAddress())
    for (const address of [home, home, abroad]) {
      expect((await logIn(user.email, PASSWORD, address)).status).toBe(200)
    }
    expect(await failUntilRefused(() => user.email, newAddress)).toEqual({ failures: 1, wait: 30 })
  })
})

describe('strangers at one account, together', () => {
  test('may fail ten times, then wait up to an hour, and after 100 failures a day', async () => {
    const { email } = await app.newUser()
    for (let i = 0; i < 10; i++) await fail(1, email, newAddress())
    const waits: number[] = []
    while (waits.length < 150 && waits.at(-1) !== 86_400) {
      const { wait } = await failUntilRefused(() => email, newAddress)
      waits.push(wait)
      app.passSeconds(wait)
    }
    expect(waits.slice(0, 9)).toEqual([30, 60, 120, 240, 480, 960, 1920, 3600, 3600])
    expect(waits.at(-1)).toBe(86_400)
    // 10 and one after each wait but the last: what was forgotten meanwhile comes on top of the 100.
    expect(10 + waits.length - 1).toBeLessThanOrEqual(104)
    const before = await failUntilRefused(() => email, newAddress)
    expect(before).toEqual({ failures: 1, wait: 86_400 })
  })

  test('share the count of an account that does not exist, with the same answers at every step', async () => {
    const [known, unknown] = [await app.newUser(), newEmail()]
    // The same for all requests of one client, whatever they are for.
    const own = { date: '', 'x-request-id': '', ratelimit: '' }
    const headersOf = ({ headers }: Reply) => ({ ...headers, ...own })
    const bodyOf = ({ body }: Reply) => ({ ...body, request_id: '' })
    for (let i = 0; i < 18; i++) {
      const address = newAddress()
      const replies: Reply[] = []
      const work = []
      for (const email of [known.email, unknown]) {
        work.push(await checksDuring(async () => replies.push(await logIn(email, WRONG, address))))
      }
      const [first, second] = replies as [Reply, Reply]
      expect(first.status).toBe(i < 10 || i === 14 ? 401 : 429)
      expect(bodyOf(second)).toEqual(bodyOf(first))
      expect(headersOf(second)).toEqual(headersOf(first))
      expect(second.text).toHaveLength(first.text.length)
      expect(work[0]).toBe(work[1])
      if (i === 13) app.passSeconds(30)
    }
  })
})

describe('one address at many accounts', () => {
  test('may fail 50 times, then waits, and is forgiven one failure a minute', async () => {
    const address = newAddress()
    expect(await failUntilRefused(newEmail, () => address)).toEqual({ failures: 50, wait: 30 })
    app.passSeconds(30)
    expect(await failUntilRefused(newEmail, () => address)).toEqual({ failures: 1, wait: 60 })
    app.passSeconds(20 * 60 + 30)
    expect((await failUntilRefused(newEmail, () => address)).failures).toBe(20)
    app.passSeconds(2 * 3_600)
    expect((await failUntilRefused(newEmail, () => address)).failures).toBe(50)
  })

  test('hinders nobody there who has logged in from it before, and nobody elsewhere', async () => {
    const [office, colleague, newcomer] = [newAddress(), await app.newUser(), await app.newUser()]
    await logIn(colleague.email, PASSWORD, office)
    await failUntilRefused(newEmail, () => office)
    expect((await logIn(colleague.email, PASSWORD, office)).status).toBe(200)
    expectRefused(await logIn(newcomer.email, PASSWORD, office), 30)
    expect((await logIn(newcomer.email, PASSWORD, newAddress())).status).toBe(200)
  })

  test('is not bought free by logging in to an account of one’s own', async () => {
    const [address, own] = [newAddress(), await app.newUser()]
    for (let i = 0; i < 49; i++) {
      await fail(1, newEmail(), address)
      if (i % 10 === 0) expect((await logIn(own.email, PASSWORD, address)).status).toBe(200)
    }
    expect(await failUntilRefused(newEmail, () => address)).toEqual({ failures: 1, wait: 30 })
  })

  test('lets any number of people log in for the first time', async () => {
    const address = newAddress()
    for (let i = 0; i < 60; i++) {
      const user = await app.newUser()
      expect((await logIn(user.email, PASSWORD, address)).status).toBe(200)
    }
  })
})

describe('the counts', () => {
  test('survive a restart, and nobody can read an account or an address from them', async () => {
    const [user, address] = [await app.newUser(), '203.0.113.201']
    await logIn(user.email, PASSWORD, address)
    await fail(5, user.email, address)
    const restarted = await buildTestApp(app.database, { environment, hashEngine })
    onTestFinished(() => restarted.server.close().then(() => {}))
    restarted.passSeconds((await nowOf(app)) - (await nowOf(restarted)))
    expectRefused(await logIn(user.email, PASSWORD, address, restarted), 30)
    const rows = await app.database.query(
      `select encode(key, 'escape') as text, length(key) from keyward_password_attempts
       union all select encode(key, 'escape'), length(key) from keyward_known_places`,
    )
    expect(new Set((rows as { length: number }[]).map(({ length }) => length))).toEqual(new Set([32]))
    expect(JSON.stringify(rows)).not.toMatch(/203\.0\.113|example\.com/)
  })

  test('go once they limit nobody any more', async () => {
    const database = await openTestDatabase()
    await migrate(database)
    const server = await buildTestApp(database, { environment, hashEngine })
    onTestFinished(async () => {
      await server.server.close()
      await database.close()
    })
    const { email } = await server.newUser()
    await logIn(email, PASSWORD, newAddress(), server)
    const fresh = newAddress()
    await fail(5, email, fresh, server)
    const count = async () => {
      const [row] = await database.query<{ count: number }>(
        `select (select count(*) from keyward_password_attempts)::int
              + (select count(*) from keyward_known_places)::int as count`,
      )
      return row!.count
    }
    const purgeAfter = (seconds: number) => purgeAttempts(database, () => NOW + seconds * 1000)
    expect(await count()).toBe(3 + 2 + 1)
    // Of the first address, with no failure left; of the other after five minutes; five days; then the places.
    const removed = []
    for (const seconds of [3_601, 3_601 + 301, 3_601 + 5 * 86_400, 3_602 + 90 * 86_400]) {
      removed.push(await purgeAfter(seconds))
    }
    expect(removed).toEqual([1, 1, 2, 2])
    expect(await count()).toBe(0)
  })

  test('do not grow by attempts that are refused', async () => {
    const address = newAddress()
    await failUntilRefused(newEmail, () => address)
    const count = async () => (await app.database.query('select from keyward_password_attempts')).length
    const before = await count()
    for (let i = 0; i < 20; i++) expectRefused(await logIn(newEmail(), WRONG, address), 30)
    expect(await count()).toBe(before)
  })

  test('hold nobody longer than the wait when the clock is set back', async () => {
    const [user, address] = [await app.newUser(), newAddress()]
    await fail(5, user.email, address)
    app.passSeconds(-40)
    expectRefused(await logIn(user.email, PASSWORD, address), 70)
    app.passSeconds(-7_200)
    await fail(1, user.email, address)
    expectRefused(await logIn(user.email, PASSWORD, address), 60)
    app.passSeconds(60)
    expect((await logIn(user.email, PASSWORD, address)).status).toBe(200)
    app.passSeconds(7_180)
  })

  test('of a right password are given back even when its account is disabled', async () => {
    const [user, address] = [await app.newUser(), newAddress()]
    await disable(app.database, user.id)
    for (let i = 0; i < 12; i++) expectProblem(await logIn(user.email, PASSWORD, address), 'account_disabled')
  })
})

describe('an attempt without an outcome', () => {
  test('does not count when nothing was compared, because the database was away', async () => {
    const [user, address] = [await app.newUser(), newAddress()]
    const { query } = app.database
    app.database.query = async (text, ...rest) => {
      if (text.includes('from users')) throw new Error('broken')
      return query(text, ...rest) as Promise<never>
    }
    for (let i = 0; i < 8; i++) expect((await logIn(user.email, PASSWORD, address)).status).toBe(500)
    app.database.query = query
    await fail(5, user.email, address)
    expectRefused(await logIn(user.email, PASSWORD, address), 30)
  })

  test('does not count when its client hung up while it waited for its turn', async () => {
    const { held, release } = holdHashes()
    onTestFinished(release)
    const [user, url] = [await app.newUser(), await app.server.listen({ port: 0, host: '127.0.0.1' })]
    const hangUp = new AbortController()
    const send = (signal: AbortSignal) =>
      fetch(`${url}/api/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email: user.email, password: WRONG }),
        signal,
      })
    // All turns are taken, so that the attempt is counted and then waits.
    const others = [newAddress(), newAddress()].map((address) => logIn(newEmail(), WRONG, address))
    await waitUntil('two are being compared', () => held() === 2)
    const waiting = send(hangUp.signal).catch(() => {})
    await waitUntil('it is counted', async () => (await countAttempts(user.email)) === 1)
    hangUp.abort()
    await waiting
    await waitUntil('it is given back', async () => (await countAttempts(user.email)) === 0)
    release()
    for (const reply of others) expect((await reply).status).toBe(401)
    await fail(5, user.email, '127.0.0.1')
    expectRefused(await logIn(user.email, PASSWORD, '127.0.0.1'), 30)
  })

  test('counts when it cannot be given back, and lets nobody in', async () => {
    const [user, address] = [await app.newUser(), newAddress()]
    const { query } = app.database
    app.database.query = async (text, ...rest) => {
      if (text.includes('given_back')) throw new Error('broken')
      return query(text, ...rest) as Promise<never>
    }
    for (let i = 0; i < 5; i++) expect((await logIn(user.email, PASSWORD, address)).status).toBe(500)
    app.database.query = query
    expectRefused(await logIn(user.email, PASSWORD, address), 30)
    app.passSeconds(30)
    expect((await logIn(user.email, PASSWORD, address)).status).toBe(200)
  })
})

test('refused attempts are logged, with the address and without the account', async () => {
  const [{ email }, address] = [await app.newUser(), newAddress()]
  await failUntilRefused(
    () => email,
    () => address,
  )
  for (let i = 0; i < 50; i++) await logIn(email, WRONG, address)
  const lines = app.events('attempt_refused')
  expect(lines.length).toBeGreaterThan(0)
  expect(lines[0]).toMatchObject({ level: 'info', request_id: expect.any(String), count: 1 })
  expect(JSON.stringify(lines)).not.toContain('example.com')
})

describe('with RATE_LIMIT=off', () => {
  const unlimited = useTestApp({ environment: { RATE_LIMIT: 'off' }, hashEngine })

  test('attempts are neither counted nor refused', async () => {
    const { email } = await unlimited.newUser()
    await fail(120, email, '127.0.0.1', unlimited)
    expect(await unlimited.database.query('select from keyward_password_attempts')).toEqual([])
  })
})
