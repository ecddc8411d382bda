import { beforeAll, describe, expect, test } from 'vitest'
import { type Operation, readOperations } from '../../support/operations.js'
import { PASSWORD, type Reply, type User, useTestApp } from '../../support/test-app.js'
import { countUsers } from '../../http/users-table.js'

// Who a request is about, and in which form it may come (docs/security/cves.md).

const FEED_TOKEN = 'q2Zt7XwB9mKc4VnR8sLdYh3PfGj6UaEo'
const app = useTestApp({ environment: { REVOCATION_FEED_TOKEN: FEED_TOKEN } })
let operations: Operation[]
beforeAll(async () => {
  operations = await readOperations(app)
})

const forUsers = (): Operation[] => operations.filter(({ credential }) => credential === 'user')
const withBody = (): Operation[] => operations.filter(({ body }) => body !== null)

const FIELDS = {
  name: 'Taken Over',
  current_password: PASSWORD,
  new_password: 'N3w-horse!staple',
  keep_current: false,
}

/** Everything by which a request could name somebody. */
const naming = ({ id, email, sessionId }: User) => ({
  id,
  sub: id,
  userId: id,
  user_id: id,
  account_id: id,
  sid: sessionId,
  session_id: sessionId,
  email,
  user: { id, email },
})

function send(operation: Operation, victim: User, token: string | null): Promise<Reply> {
  const { method, path, body } = operation
  const named = naming(victim)
  return app.send({
    method,
    url: path.replace('{id}', victim.sessionId),
    query: { user_id: victim.id, userId: victim.id, id: victim.id, email: victim.email },
    headers: {
      'x-user-id': victim.id,
      'x-user': victim.email,
      cookie: `session=${victim.sessionId}; token=${victim.token}`,
      ...(token !== null && { authorization: `Bearer ${token}` }),
    },
    ...(body !== null && { payload: { ...FIELDS, ...named } }),
  })
}

async function expectUntouched(user: User): Promise<void> {
  expect((await user.get('/api/auth/profile')).body).toMatchObject({ id: user.id, name: 'Test User' })
  expect((await app.login(user)).id).toBe(user.id)
}

test('takes nobody for the user whom a request merely names (CVE-2025-61928)', async () => {
  const victim = await app.newUser()
  expect(forUsers().length).toBeGreaterThanOrEqual(7)
  for (const operation of forUsers()) {
    const { status, body } = await send(operation, victim, null)
    expect([operation.id, status, body.code]).toEqual([operation.id, 401, 'not_authenticated'])
  }
  await expectUntouched(victim)
})

test('does nothing to what belongs to somebody else, whatever the request names (CVE-2026-105209)', async () => {
  const victim = await app.newUser()
  for (const operation of forUsers()) {
    const stranger = await app.newUser()
    const { status, text } = await send(operation, victim, stranger.token)
    expect([operation.id, status]).toEqual([operation.id, operation.path.includes('{id}') ? 404 : 200])
    expect(text).not.toContain(victim.email)
    await expectUntouched(victim)
  }
})

test('opens nothing but the feed to the token of a service, and the feed to no other (CVE-2026-123800)', async () => {
  const user = await app.newUser()
  for (const operation of operations.filter(({ credential }) => credential !== null)) {
    const isFeed = operation.credential === 'service'
    const wrong = isFeed ? user.token : FEED_TOKEN
    expect([operation.id, (await send(operation, user, wrong)).status]).toEqual([operation.id, 401])
  }
  await expectUntouched(user)
  expect((await app.get('/api/auth/revocations', FEED_TOKEN)).status).toBe(200)
})

test.for([
  '/api/auth/revocations/',
  '//api/auth/revocations',
  '/api//auth/revocations',
  '/API/auth/revocations',
  '/api/auth/%72evocations',
  '/api/auth/revocations;v=1',
  '/api/auth/./revocations',
  '/api/auth/x/../revocations',
  '/v1/api/auth/revocations',
  '/api/v1/auth/revocations',
  '/tenant/api/auth/revocations',
  '/api/auth/revocations?api_key=',
])('no other address leads past the service token: %s (CVE-2026-123797)', async (url) => {
  for (const headers of [{}, { 'api-version': '1.0' }, { authorization: 'Bearer ' }]) {
    const { status, text } = await app.send({ method: 'GET', url, headers })
    expect([401, 404]).toContain(status)
    expect(text).not.toContain('last_seq')
  }
})

describe('the content type', () => {
  // The spellings of four rounds of advisories: what the parser of the body took for JSON, its validation did not.
  const TYPES = [
    'Application/Json',
    'APPLICATION/JSON',
    'application/json ',
    'application/json\t',
    'application/json ;charset=utf-8',
    'application/json\t;charset=utf-8',
    'application/json;',
    'application/json;;',
    'application/json; foo',
    'application/json; charset=utf-8; charset=utf-8',
    'application/json garbage',
    'application/json\ta',
    'application/json,text/plain',
    ' application/json',
    'application/jsonx',
    'xapplication/json',
    'application/vnd.api+json',
    'text/json',
    'text/plain',
  ]

  test('lets no body around its schema, however it is spelled (CVE-2025-32442, CVE-2026-25223, CVE-2026-33806, CVE-2026-3419)', async () => {
    const before = await countUsers(app.database)
    const user = await app.newUser()
    const fields = ['email', 'name', 'password', 'refresh_token', 'current_password', 'new_password']
    const broken = JSON.stringify({
      keep_current: 'no',
      ...Object.fromEntries(fields.map((field) => [field, 7])),
    })
    for (const { id, method, path } of withBody()) {
      for (const type of TYPES) {
        const headers = { authorization: `Bearer ${user.token}`, 'content-type': type }
        const { status, body } = await app.send({ method, url: path, headers, payload: Buffer.from(broken) })
        const isRefused = body.code === 'validation_failed' || body.code === 'unsupported_media_type'
        expect([id, type, status, isRefused]).toEqual([id, type, status === 415 ? 415 : 400, true])
      }
    }
    expect(await countUsers(app.database)).toBe(before + 1)
    await expectUntouched(user)
  })
})

test('takes no body but an object of the right types, and turns nothing into one (GHSA-w2qp-rph6-63g4)', async () => {
  const user = await app.newUser()
  const bodies = ['"text"', '7', 'true', '[]', '[{}]', '""', '"{\\"keep_current\\":true}"']
  expect(withBody().length).toBeGreaterThanOrEqual(6)
  for (const { id, method, path } of withBody()) {
    for (const payload of [...bodies, '{"keep_current":"true","name":1,"password":1,"refresh_token":1}']) {
      const headers = { authorization: `Bearer ${user.token}`, 'content-type': 'application/json' }
      const { status, body } = await app.send({ method, url: path, headers, payload })
      expect([id, payload, status, body.code]).toEqual([id, payload, 400, 'validation_failed'])
    }
  }
  await expectUntouched(user)
})

test('takes no host of a link from a request (GHSA-3529-5m8x-rpv3, GHSA-2wmj-46rj-qm2w)', async () => {
  const EVIL = 'evil.example'
  const headers = {
    host: EVIL,
    'x-forwarded-host': EVIL,
    'x-forwarded-server': EVIL,
    'x-original-host': EVIL,
    'x-host': EVIL,
    forwarded: `host=${EVIL};proto=https`,
    origin: `https://${EVIL}`,
    referer: `https://${EVIL}/`,
  }
  const user = await app.newUser()
  const logged = app.logLines.length
  const targets = operations.map(({ method, path }) => ({ method, url: path }))
  const others = ['/docs', '/docs/', '/openapi.json', '/nope', '/docs/static/index.html'].map((url) => ({
    method: 'GET' as const,
    url,
  }))
  for (const target of [...targets, ...others, { method: 'OPTIONS' as const, url: '/api/auth/login' }]) {
    for (const authorization of [undefined, `Bearer ${user.token}`]) {
      const request = { ...target, headers: { ...headers, ...(authorization && { authorization }) } }
      const reply = await app.send(request)
      expect(reply.text + JSON.stringify(reply.headers), target.url).not.toContain(EVIL)
    }
  }
  expect(app.logLines.slice(logged).join('')).not.toContain(EVIL)
})
