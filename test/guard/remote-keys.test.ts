import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { signAccessToken } from '../../src/core/access-token.js'
import { type PrivateKey } from '../../src/core/signing-key.js'
import { createGuard, type Guard, type GuardOptions, type GuardVerdict } from '../../src/guard/index.js'
import { CLAIMS, NOW, SECRET, tokenWith } from '../core/sample-token.js'
import { catchUncaught } from '../support/catch-uncaught.js'
import { newPrivateKey } from '../support/new-key.js'

const [KEY, NEXT, STRANGER] = [newPrivateKey('EdDSA'), newPrivateKey('ES256'), newPrivateKey('EdDSA')]
const bearer = (key: PrivateKey): string => `Bearer ${signAccessToken(key, CLAIMS)}`
const setOf = (...keys: PrivateKey[]): string => JSON.stringify({ keys: keys.map(({ jwk }) => jwk) })

let server: Server
let url: string
let requests: IncomingMessage[]
let answer: (request: IncomingMessage, response: ServerResponse) => void
let monotonic: number
let errors: unknown[]

beforeEach(async () => {
  requests = []
  errors = []
  monotonic = 1_000_000
  publish(KEY)
  server = createServer((request, response) => {
    requests.push(request)
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/.well-known/jwks.json`
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

function publish(...keys: PrivateKey[]): void {
  answerWith(setOf(...keys))
}
function answerWith(
  body: string,
  headers: Record<string, string> = { 'cache-control': 'public, max-age=60' },
): void {
  answer = (_, response) => void response.writeHead(200, headers).end(body)
}
function goAway(): void {
  answer = (_, response) => void response.writeHead(503).end()
}
function breakOff(): void {
  answer = (_, response) => {
    response.writeHead(200).write('{"keys":[')
    response.destroy()
  }
}
const passSeconds = (seconds: number): void => void (monotonic += seconds * 1000)

function newGuard(options: Partial<GuardOptions> = {}): Guard {
  return createGuard({
    jwksUrl: url,
    clock: () => NOW,
    monotonicMs: () => monotonic,
    onKeysError: (error) => errors.push(error),
    ...options,
  })
}
const outcome = (verdict: GuardVerdict): string => (verdict.ok ? 'let in' : verdict.code)
const check = async (guard: Guard, key: PrivateKey): Promise<string> =>
  outcome(await guard.check(bearer(key)))
/** Without waiting for anything. */
const checkAtOnce = (guard: Guard, key: PrivateKey): string => {
  const verdict = guard.check(bearer(key))
  return verdict instanceof Promise ? 'has to wait' : outcome(verdict)
}

test('fetches the keys when the first token comes, and from then on answers at once', async () => {
  const guard = newGuard()
  expect(requests).toHaveLength(0)
  expect(await check(guard, KEY)).toBe('let in')
  expect(checkAtOnce(guard, KEY)).toBe('let in')
  passSeconds(60)
  expect(checkAtOnce(guard, KEY)).toBe('let in')
  expect(requests.map((request) => request.url)).toEqual(['/.well-known/jwks.json'])
})

test('many tokens that come at once wait for one fetch', async () => {
  const guard = newGuard()
  const verdicts = await Promise.all(Array.from({ length: 50 }, () => check(guard, KEY)))
  expect(new Set(verdicts)).toEqual(new Set(['let in']))
  expect(requests).toHaveLength(1)
})

test('needs no keys to refuse what is no token, names no key, or comes with nothing', async () => {
  const guard = newGuard()
  expect(guard.check(undefined)).toEqual({ ok: false, code: 'not_authenticated', anonymous: true })
  expect(guard.check('Bearer a.b.c')).toEqual({ ok: false, code: 'invalid_token' })
  expect(guard.check(`Bearer ${tokenWith({})}`)).toEqual({ ok: false, code: 'invalid_token' })
  expect(requests).toHaveLength(0)
})

describe('when the keys change', () => {
  test('a key that was added is found as soon as a token names it', async () => {
    const guard = newGuard()
    await check(guard, KEY)
    publish(KEY, NEXT)
    passSeconds(11)
    expect(await check(guard, NEXT)).toBe('let in')
    expect(checkAtOnce(guard, KEY)).toBe('let in')
  })

  test('a key that signs right after the set was fetched without it is found too', async () => {
    const guard = newGuard()
    await check(guard, KEY)
    publish(NEXT)
    expect(await check(guard, NEXT)).toBe('let in')
    expect(checkAtOnce(guard, KEY)).toBe('invalid_token')
  })

  test('a key that was taken away is refused once max-age is over', async () => {
    const guard = newGuard()
    await check(guard, KEY)
    publish(NEXT)
    passSeconds(61)
    expect(await check(guard, KEY)).toBe('invalid_token')
    expect(checkAtOnce(guard, NEXT)).toBe('let in')
  })

  /** The set that is answered now is used for so long, and fetched again a second later. */
  async function expectFreshFor(seconds: number): Promise<void> {
    const guard = newGuard()
    await check(guard, KEY)
    passSeconds(seconds)
    expect(checkAtOnce(guard, KEY)).toBe('let in')
    passSeconds(1)
    expect(checkAtOnce(guard, KEY)).toBe('has to wait')
  }

  test.each([
    ['of a year is cut', 'max-age=31536000', 180],
    ['of nothing is raised', 'max-age=0', 10],
    ['that is missing is a minute', 'public', 60],
  ])('a max-age %s', async (_, cacheControl, seconds) => {
    answerWith(setOf(KEY), { 'cache-control': cacheControl })
    await expectFreshFor(seconds)
  })

  test.each([
    ['some seconds old is good for the rest', '20', 40],
    ['outdated already is good for ten seconds', '600', 10],
    ['of a nonsensical age is good for a minute', '-50', 60],
  ])('a set from a cache that is %s', async (_, age, seconds) => {
    answerWith(setOf(KEY), { 'cache-control': 'max-age=60', age })
    await expectFreshFor(seconds)
  })

  test('caches on the way are asked to look again', async () => {
    await check(newGuard(), KEY)
    expect(requests[0]?.headers['cache-control']).toBe('no-cache')
  })

  test('an unchanged set is not sent again', async () => {
    const statuses: number[] = []
    answer = (request, response) => {
      const status = request.headers['if-none-match'] === '"v1"' ? 304 : 200
      statuses.push(status)
      response.writeHead(status, { etag: '"v1"', 'cache-control': 'max-age=60' })
      response.end(status === 200 ? setOf(KEY) : undefined)
    }
    const guard = newGuard()
    await check(guard, KEY)
    passSeconds(61)
    expect(await check(guard, KEY)).toBe('let in')
    expect(statuses).toEqual([200, 304])
    expect(checkAtOnce(guard, KEY)).toBe('let in')
  })
})

describe('made-up keys', () => {
  async function attack(guard: Guard, keys = 100): Promise<number> {
    const before = requests.length
    for (let i = 0; i < keys; i++) {
      expect(await check(guard, newPrivateKey('EdDSA'))).toBe('invalid_token')
      expect(checkAtOnce(guard, KEY)).toBe('let in')
    }
    return requests.length - before
  }

  test('cause two requests after a quiet time and then one in ten seconds, and nobody else waits', async () => {
    const guard = newGuard()
    await check(guard, KEY)
    passSeconds(30)
    expect(await attack(guard)).toBe(2)
    for (let second = 0; second < 60; second++) {
      passSeconds(1)
      expect(await attack(guard, 5), `second ${second}`).toBe(second % 10 === 9 ? 1 : 0)
    }
  })

  test('do not keep a guard from hearing of a key that is real', async () => {
    const guard = newGuard()
    await check(guard, KEY)
    await attack(guard)
    publish(KEY, NEXT)
    passSeconds(11)
    expect(await check(guard, NEXT)).toBe('let in')
  })
})

describe('while Keyward is away', () => {
  test('a guard that has no keys yet refuses with 503, not with 401, and recovers', async () => {
    goAway()
    const guard = newGuard()
    expect(await check(guard, KEY)).toBe('keys_unavailable')
    expect(checkAtOnce(guard, KEY)).toBe('keys_unavailable')
    publish(KEY)
    passSeconds(11)
    expect(await check(guard, KEY)).toBe('let in')
  })

  test('the keys it has do for an hour, without anybody waiting, and then no more', async () => {
    const guard = newGuard()
    await check(guard, KEY)
    goAway()
    passSeconds(61)
    expect(await check(guard, KEY)).toBe('let in')
    for (let minute = 2; minute < 60; minute++) {
      passSeconds(60)
      expect(checkAtOnce(guard, KEY)).toBe('let in')
      await expect.poll(() => errors.length).toBe(minute)
    }
    expect(await check(guard, STRANGER)).toBe('keys_unavailable')
    passSeconds(60)
    expect(await check(guard, KEY)).toBe('keys_unavailable')
  })

  test('a listener that fails changes no verdict: its error goes where uncaught ones go', async () => {
    goAway()
    const [uncaught, restore] = catchUncaught()
    onTestFinished(restore)
    const onKeysError = (): never => {
      throw new Error('cannot tell')
    }
    expect(await check(newGuard({ onKeysError }), KEY)).toBe('keys_unavailable')
    await expect.poll(() => uncaught).toEqual([new Error('cannot tell')])
  })

  test('the bound is an option, and nonsense for it means none is tolerated', async () => {
    for (const maxKeyStalenessSeconds of [30, Number.NaN]) {
      publish(KEY)
      const guard = newGuard({ maxKeyStalenessSeconds })
      await check(guard, KEY)
      goAway()
      passSeconds(61)
      expect(await check(guard, KEY)).toBe('keys_unavailable')
    }
  })

  test('tokens of a secret that was given need nobody', async () => {
    goAway()
    const guard = newGuard({ secret: SECRET })
    expect(guard.check(`Bearer ${tokenWith({})}`)).toMatchObject({ ok: true })
    expect(await check(guard, KEY)).toBe('keys_unavailable')
  })
})

test('keys that were given beside the address are known at once', () => {
  expect(checkAtOnce(newGuard({ keys: [NEXT.jwk] }), NEXT)).toBe('let in')
})

test.each<[string, () => void]>([
  ['a redirect', () => (answer = (_, response) => void response.writeHead(302, { location: url }).end())],
  ['more than 64 KiB', () => answerWith(`{"keys":[${setOf(KEY)}],"x":"${'x'.repeat(65_536)}"}`)],
  ['no JSON', () => answerWith('<html>')],
  ['no set', () => answerWith('{"keys":{}}')],
  ['null', () => answerWith('null')],
  ['more than 32 keys', () => answerWith(setOf(...Array.from({ length: 33 }, () => KEY)))],
  ['an unasked 304', () => (answer = (_, response) => void response.writeHead(304).end())],
  ['half an answer', breakOff],
])('%s is no key set', async (_, misbehave) => {
  misbehave()
  expect(await check(newGuard(), KEY)).toBe('keys_unavailable')
  expect(requests).toHaveLength(1)
  expect(errors).toHaveLength(1)
})

test('a set of 32 keys is taken: Keyward publishes as many', async () => {
  answerWith(setOf(...Array.from({ length: 32 }, () => KEY)))
  expect(await check(newGuard(), KEY)).toBe('let in')
})

test('an answer that never ends is given up, although it has begun', async () => {
  const patience = new AbortController()
  const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(patience.signal)
  onTestFinished(() => void vi.restoreAllMocks())
  answer = (_, response) => {
    response.writeHead(200).write('{"keys":[', () => patience.abort(new Error('too late')))
  }
  expect(await check(newGuard(), KEY)).toBe('keys_unavailable')
  expect(timeout).toHaveBeenCalledWith(5_000)
  expect(errors).toEqual([new Error('too late')])
})

test('keys of other kinds in the set are passed over', async () => {
  const odd = [
    { kty: 'oct', k: 'AAAA' },
    { kty: 'OKP', crv: 'X25519', x: 'AAAA' },
    null,
    7,
    { ...NEXT.jwk, use: 'enc' },
    { ...NEXT.jwk, key_ops: ['encrypt'] },
  ]
  answerWith(JSON.stringify({ keys: [...odd, KEY.jwk] }))
  const guard = newGuard()
  expect(await check(guard, KEY)).toBe('let in')
  expect(await check(guard, NEXT)).toBe('invalid_token')
})

test.each([
  'http://auth.example.com/.well-known/jwks.json',
  'http://127.0.0.1.example.com/',
  'http://[::2]/',
  'ftp://127.0.0.1/',
  'file:///etc/keys.json',
  'https://user:password@auth.example.com/',
  'auth.example.com',
  '',
])('a guard for the address %j is never made', (jwksUrl) => {
  expect(() => createGuard({ jwksUrl })).toThrow(RangeError)
})

test.each(['https://auth.example.com/keys', 'http://localhost:1/', 'http://127.3.2.1/', 'http://[::1]:8/'])(
  'a guard for the address %j is made',
  (jwksUrl) => {
    expect(() => createGuard({ jwksUrl })).not.toThrow()
  },
)

test('plain http to another machine has to be asked for', () => {
  expect(() => createGuard({ jwksUrl: 'http://auth.internal/', allowPlainHttp: true })).not.toThrow()
})
