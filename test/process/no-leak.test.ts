import { randomBytes } from 'node:crypto'
import { request as sendRequest } from 'node:http'
import type { InjectOptions } from 'fastify'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { openServerDatabase } from '../../src/db/open-server.js'
import { SETTINGS } from '../../src/settings.js'
import {
  driveRight,
  driveWrong,
  NEW_PASSWORD_CANARY,
  newDrive,
  newOwner,
  PASSWORD_CANARY,
  spellingsOf,
  STRAY_CANARY,
  type Target,
} from '../support/canary.js'
import { ADA, call } from '../support/call.js'
import { KEYWARD, runKeyward, startKeyward } from '../support/keyward-process.js'
import { type Operation, readOperations } from '../support/operations.js'
import { storedText } from '../support/stored-text.js'
import { startTcpProxy } from '../support/tcp-proxy.js'
import type { Reply } from '../support/test-app.js'
import { createServerDatabase } from '../support/test-database.js'

const DATABASE_PASSWORD = 'canary-db-Qx7'
const SECRETS = {
  BETTER_AUTH_SECRET_PREVIOUS: 'canary-Zk3vTnB8xWm5RjLs7YpUc2HdGf9EaK',
  KEY_ENCRYPTION_SECRET_PREVIOUS: 'canary-Lk7PjHg2UeAo9yWq1ZsXn8RmVc4Kdf',
  KEY_ENCRYPTION_SECRET: 'canary-yWq1ZsXn8RmVc4LdKf7PjHg2UeAo9',
  REVOCATION_FEED_TOKEN: 'canary-rTs9WbYc3DfGh6KjEaJ8vXk2pQz7L',
}

/** A database of its own, and a role that owns it, with a password to look for. */
async function makeDatabase(): Promise<string> {
  const { url, drop } = await createServerDatabase()
  const role = `canary_${randomBytes(6).toString('hex')}`
  const name = new URL(url).pathname.slice(1)
  const server = openServerDatabase(inject('serverUrl'), () => {})
  await server.query(`create role ${role} login password '${DATABASE_PASSWORD}'`)
  await server.query(`alter database ${name} owner to ${role}`)
  onTestFinished(async () => {
    await drop()
    await server.query(`drop role ${role}`)
    await server.close()
  })
  const asRole = new URL(url)
  asRole.username = role
  asRole.password = DATABASE_PASSWORD
  return asRole.href
}

/** What `inject` does, over a connection. */
function send(base: string, { method = 'GET', url, headers, payload }: InjectOptions): Promise<Reply> {
  const isText = typeof payload === 'string' || payload === undefined
  const body = isText ? payload : JSON.stringify(payload)
  return new Promise((resolve, reject) => {
    const request = sendRequest(base, {
      agent: false,
      method,
      path: url as string,
      headers: {
        ...(!isText && { 'content-type': 'application/json' }),
        ...headers,
        ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
      },
    })
    request.once('error', reject)
    request.once('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.once('end', () => {
        const isJson = text !== '' && String(response.headers['content-type']).includes('json')
        const parsed = isJson ? JSON.parse(text) : undefined
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: parsed })
      })
    })
    request.end(body)
  })
}

const ALL_SECRETS = [
  PASSWORD_CANARY,
  NEW_PASSWORD_CANARY,
  STRAY_CANARY,
  DATABASE_PASSWORD,
  ...Object.values(SECRETS),
]

function expectNone(place: string, text: string, secrets: readonly string[]): void {
  const lowerCase = text.toLowerCase()
  const found = secrets.flatMap(spellingsOf).filter((spelling) => lowerCase.includes(spelling))
  expect([place, found]).toEqual([place, []])
}

const SERVER = {
  NODE_ENV: 'test',
  JWT_ALGORITHM: 'EdDSA',
  BCRYPT_COST: '4',
  LOG_LEVEL: 'debug',
  RATE_LIMIT_REQUESTS: '1000000',
  RATE_LIMIT_REGISTRATIONS: '1000000',
  ...SECRETS,
}

test('a server prints no secret, on whatever request and in whatever trouble, and keeps none in its database', async () => {
  const url = await makeDatabase()
  const proxy = await startTcpProxy(Number(new URL(url).port))
  const detour = new URL(url)
  detour.hostname = '127.0.0.1'
  detour.port = String(proxy.port)
  const keyward = await startKeyward({ env: { ...SERVER, DATABASE_URL: detour.href } })
  const target: Target = {
    feedToken: SECRETS.REVOCATION_FEED_TOKEN,
    send: (request) => send(keyward.url, request),
  }
  const operations: Operation[] = await readOperations({ get: (path) => send(keyward.url, { url: path }) })
  const drive = newDrive()
  for (const operation of operations) {
    expect([operation.id, await driveRight(drive, target, operation)]).toEqual([
      operation.id,
      operation.id === 'register' ? 201 : 200,
    ])
    await driveWrong(drive, target, operation)
  }

  const owners = await Promise.all(operations.map(() => newOwner(target)))
  const driveAll = async (): Promise<void> => {
    for (const [i, operation] of operations.entries()) {
      await driveRight(drive, target, operation, owners[i])
    }
  }
  const database = openServerDatabase(url, () => {})
  onTestFinished(() => database.close())
  await database.query('alter table users rename column name to nickname')
  await driveAll()
  await database.query('alter table users rename column nickname to name')
  await proxy.switchTo('refuse')
  await driveAll()
  const statuses = new Set(drive.replies.map(({ status }) => status))
  expect([200, 400, 401, 404, 405, 413, 415, 500, 503].filter((status) => !statuses.has(status))).toEqual([])
  await keyward.stop()

  const secrets = [...ALL_SECRETS, ...drive.tokens]
  expect(keyward.output()).toContain('"request failed"')
  expectNone('the output', keyward.output(), secrets)
  expectNone('the answers', drive.replies.map(({ text }) => text).join('\n'), secrets)
  expectNone('the database', await storedText(database), secrets)
})

describe('a start that fails repeats no secret', () => {
  const KEY = '-----BEGIN PRIVATE KEY-----\ncanary-pem-Zk3\n-----END PRIVATE KEY-----\n'
  const WRONG: [what: string, env: Record<string, string>][] = [
    [
      'of settings that are too short',
      Object.fromEntries(secretNames().map((name) => [name, 'canary-short'])),
    ],
    [
      'in the place of a file name',
      Object.fromEntries(secretNames().map((name) => [`${name}_FILE`, 'canary-file'])),
    ],
    ['that repeats itself', Object.fromEntries(secretNames().map((name) => [name, 'canary-'.repeat(9)]))],
    ['of a key in the place of its file', { JWT_ALGORITHM: 'EdDSA', JWT_KEY_FILES: KEY }],
    [
      'of a JWK in the place of its file',
      { JWT_ALGORITHM: 'EdDSA', JWT_KEY_FILES: '{"d":"canary-jwk","kty":"OKP"}' },
    ],
    [
      'in the URL of a host that does not exist',
      { DATABASE_URL: 'postgresql://k:canary-host@nowhere.invalid/k?sslmode=x' },
    ],
    ['in a URL that is none', { DATABASE_URL: 'postgresql://k:canary-url@host:99999999/k' }],
    ['in the query of a URL', { DATABASE_URL: 'postgresql://localhost:1x/k?user=k&password=canary-query' }],
  ]

  function secretNames(): string[] {
    return Object.entries(SETTINGS).flatMap(([name, { isSecret }]) => (isSecret ? [name] : []))
  }

  test.for(WRONG)('%s', async ([, env]) => {
    const { code, stdout, stderr } = await runKeyward({ env })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^keyward: /)
    expectNone('the output', stdout + stderr, ['canary'])
  })
})

const OTHER_SECRET = 'canary-8RmVc4LdKf7PjHg2UeAo9yWq1ZsXn'
const COMMANDS: [args: string[], code: number, env?: Record<string, string>][] = [
  [['users', 'set-password', 'ada@example.com'], 0],
  [['users', 'set-password', 'ada@example.com'], 1, { PASSWORD_POLICY: 'nist' }],
  [['users', 'set-password', 'nobody@example.com'], 1],
  [['users', 'set-password', 'ada@example.com', PASSWORD_CANARY], 1],
  [['users', 'set-password', 'ada@example.com', `--password=${PASSWORD_CANARY}`], 1],
  [['users', 'list', '--json'], 0],
  [['users', 'show', 'ada@example.com'], 0],
  [['keys', 'list'], 0],
  [['keys', 'rotate'], 0],
  [['keys', 'rotate'], 1, { KEY_ENCRYPTION_SECRET: OTHER_SECRET }],
  [['migrate'], 0],
]

test.for(['a server', 'an embedded database'])(
  'no command of an operator repeats a secret, on %s',
  async (kind) => {
    const isServer = kind === 'a server'
    const url = isServer ? await makeDatabase() : ''
    const env = { ...SERVER, DATABASE_URL: url }
    const keyward = await startKeyward({ env })
    await call(keyward, 'POST /api/auth/register', { body: ADA })
    const away = new URL(url || 'postgresql://ada:x@127.0.0.1:1/keyward')
    away.pathname = '/not_there'
    away.password = `${DATABASE_PASSWORD}-wrong`
    const failing: typeof COMMANDS = ['users', 'keys'].map((name) => [
      [name, 'list'],
      1,
      { DATABASE_URL: away.href },
    ])
    for (const [args, expected, more] of isServer ? [...COMMANDS, ...failing] : COMMANDS) {
      // An embedded database is its server's alone, which has settings of its own.
      if (!isServer && (args[0] === 'migrate' || more !== undefined)) continue
      const { code, stdout, stderr } = await runKeyward({
        command: [KEYWARD, ...args],
        env: { ...env, ...more },
        folder: keyward.folder,
        input: `${PASSWORD_CANARY}\n`,
      })
      expect([args, code]).toEqual([args, expected])
      expectNone(args.join(' '), stdout + stderr, [...ALL_SECRETS, OTHER_SECRET])
    }
    expectNone('the server', keyward.output(), ALL_SECRETS)
  },
)
