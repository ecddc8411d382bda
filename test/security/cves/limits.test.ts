import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { readConfig } from '../../../src/config.js'
import type { HashEngine } from '../../../src/passwords/hash-engine.js'
import { nativeHashEngine } from '../../support/native-hash-engine.js'
import { type Operation, readOperations } from '../../support/operations.js'
import {
  buildTestApp,
  PASSWORD,
  type Reply,
  type TestApp,
  type User,
  useTestApp,
} from '../../support/test-app.js'

// How often a password may be guessed (docs/security/cves.md).

const WRONG = 'wr0ng-Password!'
/** As docs/limits.md says: failures of one client at one account before it has to wait. */
const FREE_FAILURES = 5

let comparisons = 0
const hashEngine: HashEngine = {
  ...nativeHashEngine,
  bcryptVerify(...values) {
    comparisons++
    return nativeHashEngine.bcryptVerify(...values)
  },
}
const environment = { RATE_LIMIT: 'on', RATE_LIMIT_REQUESTS: '1000000', RATE_LIMIT_REGISTRATIONS: '1000000' }
const app = useTestApp({ environment, hashEngine })

let operations: Operation[]
beforeAll(async () => {
  operations = await readOperations(app)
})

interface Guess {
  readonly password: string
  readonly from: string
  readonly spelling?: string
  readonly at?: TestApp
  readonly headers?: Readonly<Record<string, string>>
}
type Ask = (user: User, guess: Guess) => Promise<Reply>

const logIn: Ask = (user, { password, from, spelling = user.email, at = app, headers = {} }) =>
  at.send({
    method: 'POST',
    url: '/api/auth/login',
    remoteAddress: from,
    headers,
    payload: { email: spelling, password },
  })

const changePassword: Ask = (user, { password, from, at = app }) =>
  at.send({
    method: 'POST',
    url: '/api/auth/password',
    remoteAddress: from,
    headers: { authorization: `Bearer ${user.token}` },
    payload: { current_password: password, new_password: 'N3w-horse!staple' },
  })

/** Every operation that says whether a password is right. A new one has to be added, and then obeys these tests. */
const WAYS: Readonly<Record<string, Ask>> = { login: logIn, changePassword }

let addresses = 0
const newAddress = (): string => `198.51.100.${++addresses}`

async function expectClosed(reply: Promise<Reply>): Promise<void> {
  const { status, body, headers } = await reply
  expect([status, body.code]).toEqual([429, 'too_many_attempts'])
  expect(Number(headers['retry-after'])).toBeGreaterThan(0)
}

async function fail(ask: Ask, user: User, guess: Omit<Guess, 'password'>): Promise<void> {
  expect((await ask(user, { ...guess, password: WRONG })).status).toBe(401)
}

describe('all ways to the check of a password share one limit (CVE-2026-9798, CVE-2026-16103, CVE-2026-43914, CVE-2026-123521)', () => {
  test('and these are all the ways', () => {
    const taking = operations.filter(({ body }) =>
      Object.keys(body?.properties ?? {}).some((name) => /^(current_)?password$/.test(name)),
    )
    // Registering sets a password, and compares none.
    expect(taking.map(({ id }) => id).filter((id) => id !== 'register')).toEqual(Object.keys(WAYS))
  })

  test.for(Object.keys(WAYS))('whoever has failed at %s is refused at every one', async (first) => {
    const [user, from] = [await app.newUser(), newAddress()]
    for (let i = 0; i < FREE_FAILURES; i++) await fail(WAYS[first]!, user, { from })
    const before = comparisons
    for (const ask of Object.values(WAYS)) await expectClosed(ask(user, { password: PASSWORD, from }))
    expect(comparisons).toBe(before)
  })
})

test('of many guesses at once as few are compared as one after the other (CVE-2025-64102)', async () => {
  const [user, from] = [await app.newUser(), newAddress()]
  const before = comparisons
  const replies = await Promise.all(
    Array.from({ length: 15 }, (_, i) => (i % 2 ? logIn : changePassword)(user, { password: WRONG, from })),
  )
  expect(comparisons - before).toBe(FREE_FAILURES)
  expect(replies.filter(({ status }) => status === 429)).toHaveLength(15 - FREE_FAILURES)
})

test('all names of one account have one count (CVE-2025-24806)', async () => {
  const [user, from] = [await app.newUser({ email: 'one.count@bücher.example' }), newAddress()]
  const spellings = [
    'ONE.count@bücher.example',
    ' one.count@XN--BCHER-KVA.example',
    'one.Count@BÜCHER.example\t',
  ]
  for (const spelling of spellings) await fail(logIn, user, { from, spelling })
  // By id: the token names the account, no address is sent.
  for (let i = 0; i < FREE_FAILURES - spellings.length; i++) await fail(changePassword, user, { from })
  for (const spelling of [...spellings, user.email]) {
    await expectClosed(logIn(user, { password: PASSWORD, from, spelling }))
  }
})

test('all addresses of one client have one count, however they are written (CVE-2026-45364)', async () => {
  const clients = [
    ['2001:db8:5:1::1', '2001:0DB8:0005:0001:0:0:0:2', '2001:db8:5:1:ffff:ffff:ffff:ffff'],
    ['203.0.113.200', '::ffff:203.0.113.200', '::FFFF:CB00:71C8', '0:0:0:0:0:ffff:203.0.113.200'],
  ]
  for (const forms of clients) {
    const user = await app.newUser()
    for (let i = 0; i < FREE_FAILURES; i++) await fail(logIn, user, { from: forms[i % forms.length]! })
    for (const from of forms) await expectClosed(logIn(user, { password: PASSWORD, from }))
  }
})

test('a restart sets no count back (CVE-2026-27801, GHSA-v6pg-v89r-w8wr)', async () => {
  const [user, from] = [await app.newUser(), newAddress()]
  for (let i = 0; i < FREE_FAILURES; i++) await fail(logIn, user, { from })
  const restarted = await buildTestApp(app.database, { environment, hashEngine })
  onTestFinished(() => restarted.server.close().then(() => {}))
  await expectClosed(logIn(user, { password: PASSWORD, from, at: restarted }))
})

test('no other success sets a count back: neither an own account’s nor the victim’s own (CVE-2026-128332)', async () => {
  const [victim, attacker] = [await app.newUser(), await app.newUser()]
  const [from, home] = [newAddress(), newAddress()]
  for (let i = 0; i < FREE_FAILURES; i++) {
    await fail(logIn, victim, { from })
    expect((await logIn(attacker, { password: PASSWORD, from })).status).toBe(200)
    expect((await logIn(victim, { password: PASSWORD, from: home })).status).toBe(200)
  }
  await expectClosed(logIn(victim, { password: PASSWORD, from }))
})

describe('the address that counts', () => {
  test('is that of the connection unless proxies are named (CVE-2026-108162)', async () => {
    expect(readConfig({}).trustProxy).toBe(0)
    const [user, from] = [await app.newUser(), newAddress()]
    const forged = (i: number) => ({
      'x-forwarded-for': `203.0.113.${i}`,
      'x-real-ip': `203.0.113.${i}`,
      forwarded: `for=203.0.113.${i}`,
    })
    for (let i = 0; i < FREE_FAILURES; i++) await fail(logIn, user, { from, headers: forged(i) })
    await expectClosed(logIn(user, { password: PASSWORD, from, headers: forged(99) }))
  })

  test.for([
    '::ffff:10.0.0.0/8',
    '::ffff:0:0/96',
    '::FFFF:10.0.0.0/104',
    '::ffff:0.0.0.0/0',
    '0.0.0.0/0',
    '::/0',
  ])('is not left to everybody by TRUST_PROXY=%s (CVE-2026-92395, CVE-2026-90711)', (TRUST_PROXY) => {
    expect(() => readConfig({ TRUST_PROXY })).toThrow(/TRUST_PROXY must/)
  })
})
