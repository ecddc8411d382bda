import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { FIND_BY_EMAIL } from '../../src/accounts/sql.js'
import { createKeySafe } from '../../src/core/sealed-key.js'
import { Refusal } from '../../src/errors.js'
import { createSigningKeyStore } from '../../src/keys/sql.js'
import { onAnswered } from '../support/answered-statements.js'
import {
  type Drive,
  driveRight,
  driveWrong,
  EMAIL_CANARY,
  NEW_PASSWORD_CANARY,
  newDrive,
  newOwner,
  PASSWORD_CANARY,
  record,
  spellingsOf,
  STRAY_CANARY,
  type Target,
} from '../support/canary.js'
import { type Operation, readOperations } from '../support/operations.js'
import { storedText } from '../support/stored-text.js'
import { PRESENT, QUIET_FEED, useTestApp } from '../support/test-app.js'
import { waitUntil } from '../support/wait-until.js'
import { holdHashes, newEmail, slowHashEngine } from './attempts-app.js'

const TOKEN_SECRET = 'canary-Zk3vTnB8xWm5RjLs7YpUc2HdGf9EaK'
const ENCRYPTION_SECRET = 'canary-yWq1ZsXn8RmVc4LdKf7PjHg2UeAo9'
const FEED_TOKEN = 'canary-rTs9WbYc3DfGh6KjEaJ8vXk2pQz7L'
const MOST_REQUESTS = 90

describe.each([
  ['a shared secret', { BETTER_AUTH_SECRET: TOKEN_SECRET }],
  [
    'a key pair',
    { BETTER_AUTH_SECRET: '', BETTER_AUTH_SECRET_PREVIOUS: TOKEN_SECRET, JWT_ALGORITHM: 'EdDSA' },
  ],
])('where tokens are signed with %s', (_, signing) => {
  const app = useTestApp({
    startAt: PRESENT,
    environment: {
      ...signing,
      KEY_ENCRYPTION_SECRET: ENCRYPTION_SECRET,
      REVOCATION_FEED_TOKEN: FEED_TOKEN,
      RATE_LIMIT: 'on',
      RATE_LIMIT_REQUESTS: String(MOST_REQUESTS),
      RATE_LIMIT_REGISTRATIONS: String(MOST_REQUESTS),
    },
  })
  let operations: Operation[]
  beforeAll(async () => {
    operations = await readOperations(app)
  })
  let restore = (): void => {}
  afterEach(() => restore())

  let clients = 0
  /** Each request from an address of its own, so that no limit ends the drive. */
  const fresh: Target = {
    feedToken: FEED_TOKEN,
    send: (request) =>
      app.send({ remoteAddress: `10.1.${Math.floor(++clients / 250)}.${clients % 250}`, ...request }),
  }
  const from = (remoteAddress: string): Target => ({
    ...fresh,
    send: (request) => app.send({ ...request, remoteAddress }),
  })

  function failQueries(error: () => unknown): void {
    const { query, transaction } = app.database
    const fail = async (): Promise<never> => {
      throw error()
    }
    Object.assign(app.database, { query: fail, transaction: fail })
    restore = () => void Object.assign(app.database, { query, transaction })
  }

  /** An error as drivers make them, with the values of the statement in every property. */
  const driverError = () =>
    Object.assign(new Error('broken'), {
      detail: `Key (email)=(${PASSWORD_CANARY}) already exists`,
      where: PASSWORD_CANARY,
      hint: PASSWORD_CANARY,
      query: `select '${PASSWORD_CANARY}'`,
      parameters: [PASSWORD_CANARY],
      internalQuery: PASSWORD_CANARY,
    })

  async function driveEverywhere(): Promise<Drive> {
    const drive = newDrive()
    for (const operation of operations) {
      expect([operation.id, await driveRight(drive, fresh, operation)]).toEqual([
        operation.id,
        operation.id === 'register' ? 201 : 200,
      ])
      await driveWrong(drive, fresh, operation)
    }
    await driveLimits(drive)
    for (const error of [driverError, () => new Refusal('database_unavailable', { cause: driverError() })]) {
      await driveFailing(drive, error)
    }
    return drive
  }

  async function driveLimits(drive: Drive): Promise<void> {
    const user = await newOwner(fresh)
    const login = { method: 'POST', url: '/api/auth/login' } as const
    const known = { ...login, payload: { email: user.email, password: PASSWORD_CANARY } }
    await record(drive, fresh, 'register', {
      method: 'POST',
      url: '/api/auth/register',
      payload: { ...known.payload, name: 'Owner' },
    })
    await app.runUserCommand({ action: 'disable', who: user.id, password: null })
    await record(drive, fresh, 'login', known)
    for (let i = 0; i < 6; i++) {
      const payload = { email: user.email, password: `${PASSWORD_CANARY}${i}` }
      await record(drive, from('10.2.0.1'), 'login', { ...login, payload })
    }
    for (let i = 0; i < MOST_REQUESTS; i++) await from('10.2.0.2').send({ method: 'GET', url: '/' })
    for (const operation of operations) {
      await driveRight(drive, from('10.2.0.2'), operation, await newOwner(fresh))
    }
  }

  async function driveFailing(drive: Drive, error: () => unknown): Promise<void> {
    for (const operation of operations) {
      const owner = await newOwner(fresh)
      failQueries(error)
      await driveRight(drive, fresh, operation, owner)
      restore()
    }
  }

  /** The private keys that lie sealed in the database, opened: whole, and the number alone. */
  async function privateKeys(): Promise<Buffer[]> {
    const safe = createKeySafe(ENCRYPTION_SECRET)
    const { keys } = await createSigningKeyStore(app.database).read()
    return keys.flatMap((key) => {
      const der = safe.open(key)!.toPkcs8()
      return [der, der.subarray(-32)]
    })
  }

  let drive: Drive
  let places: Record<'an answer' | 'the log' | 'the database', string>
  beforeAll(async () => {
    drive = await driveEverywhere()
    places = {
      'an answer': drive.replies.map(({ text }) => text.toLowerCase()).join('\n'),
      'the log': app.logLines.join('').toLowerCase(),
      'the database': (await storedText(app.database)).toLowerCase(),
    }
  }, 240_000)

  /** Where it can be read, in whatever spelling. */
  const finds = (secrets: readonly (string | Buffer)[]): string[] =>
    secrets.flatMap(spellingsOf).flatMap((spelling) =>
      Object.entries(places)
        .filter(([, text]) => text.includes(spelling))
        .map(([place]) => `${place} holds ${spelling}`),
    )

  test('every operation was driven to its success and into every kind of refusal', () => {
    const statuses = new Set(drive.replies.map(({ status }) => status))
    const expected = [200, 201, 400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 503]
    expect(expected.filter((status) => !statuses.has(status))).toEqual([])
    expect(new Set(drive.replies.map(({ operation }) => operation)).size).toBe(operations.length)
    expect(app.logLines.length).toBeGreaterThan(operations.length)
  })

  test('a password stands in no answer, no log line and no row', () => {
    expect(finds([PASSWORD_CANARY, NEW_PASSWORD_CANARY])).toEqual([])
  })

  test('a token stands in the answer that hands it out, and nowhere else', () => {
    expect(drive.tokens.size).toBeGreaterThan(2 * operations.length)
    expect(finds([...drive.tokens])).toEqual([])
  })

  test('no secret of the server stands in an answer, a log line or a row', async () => {
    const keys = await privateKeys()
    expect(keys).toHaveLength(2 * Number('JWT_ALGORITHM' in signing))
    expect(finds([TOKEN_SECRET, ENCRYPTION_SECRET, FEED_TOKEN, ...keys])).toEqual([])
  })

  test('what clients put where it does not belong is not kept either', () => {
    expect(finds([STRAY_CANARY])).toEqual([])
  })

  test('no part of a token, no hash and no e-mail address stands in the log', () => {
    const parts = [...drive.tokens].flatMap((token) => token.split('.').slice(-2))
    for (const text of [EMAIL_CANARY, '$2b$', 'password_hash', 'bearer', ...parts]) {
      expect(places['the log']).not.toContain(text.toLowerCase())
    }
  })
})

describe('a server that has no time for another password', () => {
  const PLACES = 16
  let nowMs = 0
  let lookups = 0
  const app = useTestApp({
    environment: { ...QUIET_FEED, HASH_THREADS: '2', HASH_MAX_WAIT: '100' },
    monotonicMs: () => nowMs,
    hashEngine: slowHashEngine((milliseconds) => {
      nowMs += milliseconds
    }),
    intercept: onAnswered((text) => {
      if (text === FIND_BY_EMAIL) lookups++
    }),
  })

  test('repeats no secret in its refusals, nor in its log', async () => {
    const target: Target = { feedToken: FEED_TOKEN, send: (request) => app.send(request) }
    const operations = await readOperations(app)
    const owners = await Promise.all(operations.map(() => newOwner(target)))
    const { release } = holdHashes()
    lookups = 0
    const crowd = Array.from({ length: PLACES }, () =>
      app.post('/api/auth/login', { email: newEmail(), password: PASSWORD_CANARY }),
    )
    await waitUntil('all places are taken', () => lookups === PLACES)
    const drive = newDrive()
    for (const [i, operation] of operations.entries()) await driveRight(drive, target, operation, owners[i])
    release()
    await Promise.all(crowd)

    const overloaded = drive.replies.filter(({ text }) => text.includes('"code":"overloaded"'))
    expect(overloaded.map(({ operation }) => operation)).toEqual(['register', 'login', 'changePassword'])
    const seen = [...drive.replies.map(({ text }) => text), ...app.logLines].join('\n').toLowerCase()
    const secrets = [PASSWORD_CANARY, NEW_PASSWORD_CANARY, ...drive.tokens].flatMap(spellingsOf)
    expect(secrets.filter((spelling) => seen.includes(spelling))).toEqual([])
  })
})
