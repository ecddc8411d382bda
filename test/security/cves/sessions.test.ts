import { describe, expect, inject, onTestFinished, test } from 'vitest'
import {
  buildTestApp,
  PASSWORD,
  PRESENT,
  readClaims,
  SECRET,
  type TestApp,
  type User,
  useTestApp,
} from '../../support/test-app.js'
import { waitUntil } from '../../support/wait-until.js'
import { macOf } from '../../core/sample-token.js'

// Sessions, and what ends them (docs/security/cves.md).

const app = useTestApp({ startAt: PRESENT })
let passed = 0
function passSeconds(seconds: number): void {
  passed += seconds
  app.passSeconds(seconds)
}

/** Another process on the same database: a second node, or this one after a restart. */
async function startAnother(environment: Record<string, string> = {}): Promise<TestApp> {
  const another = await buildTestApp(app.database, { startAt: PRESENT + passed * 1000, environment })
  await another.server.ready()
  onTestFinished(() => another.server.close().then(() => {}))
  return another
}

interface Tokens {
  readonly access: string
  readonly refresh: string
}

async function refresh(refreshToken: string, on = app): Promise<Tokens | null> {
  const { status, body } = await on.refresh(refreshToken)
  expect([200, 401]).toContain(status)
  return status === 200 ? { access: body.access_token, refresh: body.refresh_token } : null
}

async function expectDead(tokens: readonly Tokens[], on = app): Promise<void> {
  for (const { access, refresh: refreshToken } of tokens) {
    expect((await on.get('/api/auth/profile', access)).status).toBe(401)
    expect((await on.refresh(refreshToken)).status).toBe(401)
  }
}

const WAITING_FOR_A_SESSION = `
  select from pg_locks
   where not granted and locktype = 'tuple' and relation = 'keyward_sessions'::regclass
     and database = (select oid from pg_database where datname = current_database())`

/** Holds the session until several requests have found it as it is, whatever the first of them will make of it. */
async function whileHeld<T>({ sessionId }: User, send: () => Promise<T>[]): Promise<T[]> {
  const replies = await app.database.transaction(async (transaction) => {
    await transaction.query('select from keyward_sessions where id = $1 for update', [sessionId])
    const sent = Promise.all(send())
    // The embedded database has one connection, for which they wait instead.
    if (inject('database') === 'server') {
      await waitUntil(
        'requests wait for each other',
        async () => (await transaction.query(WAITING_FOR_A_SESSION)).length > 0,
      )
    }
    return { sent }
  })
  return replies.sent
}

const tokensOf = ({ token, refreshToken }: User): Tokens => ({ access: token, refresh: refreshToken })

describe.each([
  ['within the grace for lost replies', {}],
  ['without such a grace', { REFRESH_GRACE: '0' }],
])('%s', (_, environment) => {
  test('forks no session when one refresh token arrives many times at once, on two nodes (CVE-2026-53517, CVE-2026-1035)', async () => {
    const nodes = [await startAnother(environment), await startAnother(environment)]
    const user = await app.newUser()
    const replies = await whileHeld(user, () =>
      Array.from({ length: 20 }, (__, i) => refresh(user.refreshToken, nodes[i % 2])),
    )
    const children = new Set(replies.flatMap((reply) => (reply === null ? [] : [reply.refresh])))
    expect(children.size).toBe(1)
    const [child = ''] = children
    const live = await app.database.query(
      'select id from keyward_sessions where user_id = $1 and ended_at is null',
      [user.id],
    )
    expect(live.length).toBeLessThanOrEqual(1)
    // Without a grace the copies are a theft, and end the session.
    expect((await refresh(child)) === null).toBe(live.length === 0)
  })
})

test('a restart forgets neither a spent refresh token nor an ended session (CVE-2026-9802)', async () => {
  const [spent, ended] = [await app.newUser(), await app.newUser()]
  const child = await refresh(spent.refreshToken)
  await ended.post('/api/auth/logout')
  passSeconds(60)
  const restarted = await startAnother()
  expect((await restarted.refresh(spent.refreshToken)).body.code).toBe('invalid_refresh_token')
  await expectDead([tokensOf(spent), child!, tokensOf(ended)], restarted)
})

test('reuse ends the whole family, also a descendant that is just being made (supabase/auth discussion 52614)', async () => {
  for (let round = 0; round < 5; round++) {
    const user = await app.newUser()
    const child = await refresh(user.refreshToken)
    passSeconds(20)
    const grandchild = await refresh(child!.refresh)
    const [, late] = await Promise.all([
      refresh(user.refreshToken),
      refresh(grandchild!.refresh),
      refresh(child!.refresh),
    ])
    await expectDead([tokensOf(user), child!, grandchild!, ...(late === null ? [] : [late])])
  }
})

test('every log-in opens a session of its own, whatever the client brings along (CVE-2026-7507, CVE-2025-12390)', async () => {
  const user = await app.newUser()
  const planted = await app.newUser()
  const seen = new Set([user.sessionId, planted.sessionId])
  for (let i = 0; i < 4; i++) {
    const { body } = await app.send({
      method: 'POST',
      url: '/api/auth/login',
      query: { sid: planted.sessionId, session_id: planted.sessionId },
      headers: {
        authorization: `Bearer ${planted.token}`,
        cookie: `sid=${planted.sessionId}; session=${planted.sessionId}`,
      },
      payload: {
        email: user.email,
        password: PASSWORD,
        sid: planted.sessionId,
        session_id: planted.sessionId,
        refresh_token: planted.refreshToken,
      },
    })
    const { sid, sub } = readClaims(body.access_token)
    expect(sub).toBe(user.id)
    expect(seen).not.toContain(sid)
    seen.add(sid)
    await app.post('/api/auth/logout', undefined, body.access_token)
    await expectDead([{ access: body.access_token, refresh: body.refresh_token }])
  }
  // It was replaced, and nobody can go on with it.
  await expectDead([{ access: planted.token, refresh: planted.refreshToken }])
})

describe('a new password ends every session that the old one opened (GHSA-x4vh-j75g-268g)', () => {
  const NEW_PASSWORD = 'N3w-horse!staple'

  test('when its owner changes it, all but the one that asks', async () => {
    const user = await app.newUser()
    const others = [await app.login(user), await app.login(user)]
    const change = { current_password: PASSWORD, new_password: NEW_PASSWORD }
    expect((await user.post('/api/auth/password', change)).status).toBe(200)
    await expectDead(others.map(tokensOf))
    expect(await refresh(user.refreshToken)).not.toBeNull()
  })

  test('when an operator sets it', async () => {
    const user = await app.newUser()
    const other = await app.login(user)
    await app.runUserCommand({ action: 'set-password', who: user.email, password: NEW_PASSWORD })
    await expectDead([tokensOf(user), tokensOf(other)])
  })
})

describe('a token of one kind buys none of another (GHSA-7fpj-9hr8-28vh)', () => {
  const sign = (header: object, claims: object): string => {
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
    const input = `${encode(header)}.${encode(claims)}`
    return `${input}.${macOf(input, 'sha256', SECRET)}`
  }

  test('neither while the session lives nor after it has ended', async () => {
    const user = await app.newUser()
    for (const end of [async () => {}, () => user.post('/api/auth/logout')]) {
      await end()
      expect((await app.refresh(user.token)).status).toBe(401)
      expect((await app.get('/api/auth/profile', user.refreshToken)).status).toBe(401)
    }
  })

  test.for(['logout+jwt', 'rt+jwt', 'refresh+jwt', 'at+jwt', 'id+jwt', 'dpop+jwt', 'secevent+jwt'])(
    'not even one of type %s with our own signature',
    async (typ) => {
      const user = await app.newUser()
      const claims = readClaims(user.token)
      const profile = (type: string) =>
        app.get('/api/auth/profile', sign({ alg: 'HS256', typ: type }, claims))
      expect((await profile('JWT')).status).toBe(200)
      expect((await profile(typ)).body.code).toBe('invalid_token')
    },
  )
})
