import { describe, expect, onTestFinished, test } from 'vitest'
import { createGuard, type Guard, type GuardVerdict } from '../../../src/guard/index.js'
import { Refusal } from '../../../src/errors.js'
import { CLAIMS, NOW, NOW_SECONDS, SECRET, tokenWith } from '../../core/sample-token.js'
import { ADAPTERS, BROKEN, type Answer, type GuardedApi } from './adapters.js'

const ENDED_SESSION = '5a1c9f0e-7d52-4c86-9a3b-2e4f6d8c0b44'
const STALE_SESSION = '8b2d0e1f-6c43-4b97-8a2c-1f3e5d7b9a55'
const STATES: Record<string, 'ended' | 'stale'> = { [ENDED_SESSION]: 'ended', [STALE_SESSION]: 'stale' }
const GUARD = createGuard({
  secret: SECRET,
  clock: () => NOW,
  revocations: (sessionId) => STATES[sessionId] ?? 'live',
})

const TOKEN = tokenWith({})
const PRINCIPAL = {
  id: CLAIMS.sub,
  sessionId: CLAIMS.sid,
  tokenId: CLAIMS.jti,
  email: CLAIMS.email,
  expiresAt: CLAIMS.exp,
}
const bearer = (token: string): [string, string] => ['Authorization', `Bearer ${token}`]
const REALM = 'Bearer realm="keyward"'

/** Useless credentials, and what every adapter must answer. */
const REFUSALS: [string, [string, string][], number, string, string | null][] = [
  ['another scheme', [['Authorization', 'Basic YWRhOnBhc3M=']], 401, 'not_authenticated', REALM],
  ['an empty header', [['Authorization', '']], 401, 'not_authenticated', REALM],
  ['a token without a scheme', [['Authorization', TOKEN]], 401, 'not_authenticated', REALM],
  ['the same header twice', [bearer(TOKEN), bearer(TOKEN)], 401, 'not_authenticated', REALM],
  ['a useless header in front', [['authorization', ''], bearer(TOKEN)], 401, 'not_authenticated', REALM],
  ['a useless header behind', [bearer(TOKEN), ['AUTHORIZATION', '']], 401, 'not_authenticated', REALM],
  [
    'a wrong token',
    [bearer(`${TOKEN}A`)],
    401,
    'invalid_token',
    `${REALM}, error="invalid_token", error_description="Invalid token"`,
  ],
  [
    'an expired token',
    [bearer(tokenWith({ exp: NOW_SECONDS }))],
    401,
    'token_expired',
    `${REALM}, error="invalid_token", error_description="Token has expired"`,
  ],
  [
    'the token of a session that has ended',
    [bearer(tokenWith({ sid: ENDED_SESSION }))],
    401,
    'invalid_token',
    `${REALM}, error="invalid_token", error_description="Invalid token"`,
  ],
  [
    'a token while it cannot be known whether its session has ended',
    [bearer(tokenWith({ sid: STALE_SESSION }))],
    503,
    'revocation_stale',
    null,
  ],
]

const guardThatSays = (verdict: GuardVerdict): Guard => ({ check: () => verdict })

describe.each(ADAPTERS)('$name', (adapter) => {
  const start = async (guard: Guard = GUARD, optional = false): Promise<GuardedApi> => {
    const api = await adapter.start(guard, { optional })
    onTestFinished(() => api.close())
    return api
  }

  const expectRefusal = (
    { status, headers, body }: Answer,
    wanted: number,
    code: string,
    challenge: string | null,
  ): void => {
    expect(status).toBe(wanted)
    expect(headers.get('www-authenticate')).toBe(challenge)
    expect(headers.get('retry-after')).toBe(wanted === 503 ? '1' : null)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
    const problem = JSON.parse(body)
    expect(problem).toMatchObject({ type: 'about:blank', status: wanted, code })
    expect('request_id' in problem).toBe(adapter.namesRequests)
    expect(body).not.toMatch(/eyJ|YWRh/)
  }

  test('a valid token lets the request through, and the handler knows whose it is', async () => {
    const api = await start()
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const { status, body } = await api.send('GET', '/', [['Authorization', `${scheme} ${TOKEN}`]])
      expect([status, JSON.parse(body)]).toEqual([200, PRINCIPAL])
    }
    expect(api.principals).toEqual([PRINCIPAL, PRINCIPAL, PRINCIPAL])
  })

  test('a request without credentials is refused, and the handler does not run', async () => {
    const api = await start()
    expectRefusal(await api.send('GET', '/'), 401, 'not_authenticated', REALM)
    expect(api.principals).toEqual([])
  })

  describe.each([false, true])('where credentials are optional: %s', (optional) => {
    test.each(REFUSALS)('%s is refused', async (_, headers, status, code, challenge) => {
      const api = await start(GUARD, optional)
      expectRefusal(await api.send('GET', '/', headers), status, code, challenge)
      expect(api.principals).toEqual([])
    })

    test('a token that cannot be judged for want of keys is answered with 503', async () => {
      const api = await start(guardThatSays({ ok: false, code: 'keys_unavailable' }), optional)
      expectRefusal(await api.send('GET', '/', [bearer(TOKEN)]), 503, 'keys_unavailable', null)
      expect(api.principals).toEqual([])
    })

    test.each<[string, Guard]>([
      [
        'throws',
        {
          check() {
            throw new Error('s3cret')
          },
        },
      ],
      ['rejects', { check: () => Promise.reject(new Error('s3cret')) }],
      ['answers nothing', guardThatSays(undefined as unknown as GuardVerdict)],
      ['answers nonsense', guardThatSays({} as unknown as GuardVerdict)],
      ['answers nothing after a while', { check: async () => null as unknown as GuardVerdict }],
    ])('a guard that %s lets nobody in, and tells the application alone', async (_, guard) => {
      const api = await start(guard, optional)
      for (const headers of [[], [bearer(TOKEN)]]) {
        const { status, body } = await api.send('GET', '/', headers)
        expect([status, body]).toEqual([500, 'Something went wrong on the server'])
      }
      expect(api.principals).toEqual([])
      expect(api.errors).toHaveLength(2)
      for (const error of api.errors) {
        expect(error).toBeInstanceOf(Refusal)
        expect(error).toMatchObject({ code: 'internal_error', status: 500, cause: expect.any(Error) })
      }
    })

    test('an error of the handler reaches the application as it is', async () => {
      const api = await start(GUARD, optional)
      const { status, body } = await api.send('GET', '/broken', [bearer(TOKEN)])
      expect([status, body]).toEqual([500, BROKEN])
      expect(api.errors).toEqual([new Error(BROKEN)])
    })
  })

  describe('where credentials are optional', () => {
    test('a request without any goes on as nobody’s', async () => {
      const api = await start(GUARD, true)
      const { status, body } = await api.send('GET', '/')
      expect([status, JSON.parse(body)]).toEqual([200, null])
      expect(api.principals).toEqual([null])
    })

    test('a valid token still says whose the request is', async () => {
      const api = await start(GUARD, true)
      await api.send('GET', '/', [bearer(TOKEN)])
      expect(api.principals).toEqual([PRINCIPAL])
    })
  })

  test('a guard that answers later is waited for', async () => {
    const api = await start({ check: async (authorization) => GUARD.check(authorization) })
    expect((await api.send('GET', '/', [bearer(TOKEN)])).status).toBe(200)
    expectRefusal(await api.send('GET', '/'), 401, 'not_authenticated', REALM)
    expect(api.principals).toEqual([PRINCIPAL])
  })

  test.each(['HEAD', 'OPTIONS', 'DELETE'])('%s is no way around the guard', async (method) => {
    const api = await start()
    const refused = await api.send(method, '/')
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toBe(REALM)
    expect(api.principals).toEqual([])
    expect((await api.send(method, '/', [bearer(TOKEN)])).status).toBe(200)
    expect(api.principals).toEqual([PRINCIPAL])
  })

  test('requests at the same time each have their own principal', async () => {
    const api = await start({ check: async (authorization) => GUARD.check(authorization) })
    const subs = Array.from({ length: 20 }, (_, i) => CLAIMS.sub.replace(/..$/, String(10 + i)))
    const bodies = await Promise.all(
      subs.map(async (sub) => (await api.send('GET', '/', [bearer(tokenWith({ sub }))])).body),
    )
    expect(bodies.map((body) => JSON.parse(body).id)).toEqual(subs)
  })
})

test('all adapters answer a refusal with the same bytes, but for the name of the request', async () => {
  const apis = await Promise.all(ADAPTERS.map((adapter) => adapter.start(GUARD, { optional: false })))
  for (const [name, headers] of [['nothing', []] as const, ...REFUSALS]) {
    const answers = await Promise.all(
      apis.map(async (api) => {
        const { body, ...answer } = await api.send('GET', '/', headers)
        const { request_id: _, ...problem } = JSON.parse(body)
        const shown = ['content-type', 'cache-control', 'www-authenticate', 'retry-after']
        return JSON.stringify([answer.status, ...shown.map((each) => answer.headers.get(each)), problem])
      }),
    )
    expect(new Set(answers).size, name).toBe(1)
  }
  await Promise.all(apis.map((api) => api.close()))
})
