import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { readConfig } from '../../../src/config.js'
import { createGuard } from '../../../src/guard/index.js'
import { CLAIMS, HEADER, NOW, SECRET as SAMPLE_SECRET, tokenOf } from '../../core/sample-token.js'
import { readClaims, SECRET, type TestApp, useTestApp } from '../../support/test-app.js'

// What a token may say, and what it can not talk anybody into (docs/security/cves.md).

const app = useTestApp()
const forAudience = useTestApp({ environment: { JWT_AUDIENCE: 'tasks-api' } })

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

/** A token of any content whose MAC is right under this secret: ours unless told otherwise. */
function sign(header: object, claims: object, secret = SECRET): string {
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

const without = (claims: Record<string, unknown>, name: string) =>
  Object.fromEntries(Object.entries(claims).filter(([each]) => each !== name))

async function judge(token: string, at: TestApp = app): Promise<string> {
  const { status, body } = await at.get('/api/auth/profile', token)
  return status === 200 ? body.id : body.code
}

test.for(['sub', 'exp', 'iss', 'sid', 'jti'])(
  'refuses a token without %s, rather than leave it unchecked (CVE-2026-15612, CVE-2026-18363)',
  async (name) => {
    const { id, token } = await app.newUser()
    const claims = readClaims(token)
    expect(await judge(sign(HEADER, claims))).toBe(id)
    for (const missing of [without(claims, name), { ...claims, [name]: null }, { ...claims, [name]: '' }]) {
      expect(await judge(sign(HEADER, missing))).toBe('invalid_token')
    }
  },
)

test('refuses a token without an audience where one is demanded (CVE-2026-15612)', async () => {
  const { id, token } = await forAudience.newUser()
  const claims = readClaims(token)
  expect(await judge(sign(HEADER, claims), forAudience)).toBe(id)
  const wrong = [
    without(claims, 'aud'),
    { ...claims, aud: null },
    { ...claims, aud: [] },
    { ...claims, aud: {} },
  ]
  for (const each of wrong) expect(await judge(sign(HEADER, each), forAudience)).toBe('invalid_token')
})

test.for(['text', '9e9', Number.MAX_VALUE * 2, -1, 0, true, [4_102_444_800], { value: 4_102_444_800 }])(
  'refuses a token whose expiry is %j (CVE-2026-18363)',
  async (exp) => {
    const claims = readClaims((await app.newUser()).token)
    expect(await judge(sign(HEADER, { ...claims, exp }))).toMatch(/^(invalid_token|token_expired)$/)
  },
)

test.for(['https://evil.example', 'keyward/', 'Keyward', ' keyward', ['keyward'], { keyward: true }])(
  'refuses a rightly signed token of issuer %j (CVE-2026-31813)',
  async (iss) => {
    const claims = readClaims((await app.newUser()).token)
    expect(await judge(sign(HEADER, { ...claims, iss }))).toBe('invalid_token')
  },
)

test.for([['exp'], ['b64'], ['urn:example:strict'], [], 'exp', null, {}])(
  'refuses a token whose header says crit %j (CVE-2026-35042, GHSA-hm7r-c7qw-ghp6)',
  async (crit) => {
    const claims = readClaims((await app.newUser()).token)
    const header = { ...HEADER, crit, 'urn:example:strict': true, exp: claims.exp }
    expect(await judge(sign(header, claims))).toBe('invalid_token')
  },
)

test('never takes one token for another, however much they share (CVE-2026-35039)', async () => {
  const users = await Promise.all(Array.from({ length: 8 }, () => app.newUser()))
  const rounds = Array.from({ length: 10 }, () => users).flat()
  const answers = await Promise.all(rounds.map(({ token }) => judge(token)))
  expect(answers).toEqual(rounds.map(({ id }) => id))
  const parts = users.map(({ token }) => token.split('.'))
  for (const [i, [head, payload, signature]] of parts.entries()) {
    const [, otherPayload, otherSignature] = parts[(i + 1) % parts.length]!
    for (const spliced of [
      `${head}.${payload}.${otherSignature}`,
      `${head}.${otherPayload}.${signature}`,
      `${head}.${payload}${otherPayload}.${signature}`,
    ]) {
      expect(await judge(spliced)).toBe('invalid_token')
    }
  }
})

test('an unknown key id does not mean an empty key (CVE-2026-44351)', async () => {
  const claims = readClaims((await app.newUser()).token)
  for (const kid of ['unknown', '', '__proto__', 'A'.repeat(43), null, 0]) {
    for (const secret of ['', '\u0000', 'undefined', 'null', '[object Object]', String(kid)]) {
      for (const header of [{ ...HEADER, kid }, HEADER]) {
        expect(await judge(sign(header, claims, secret))).toBe('invalid_token')
      }
    }
  }
})

describe('an empty secret (CVE-2026-107720)', () => {
  test('lets no unsigned token pass', async () => {
    const claims = readClaims((await app.newUser()).token)
    for (const alg of ['none', 'None', 'NONE', '', 'HS256']) {
      expect(await judge(`${encode({ alg, typ: 'JWT' })}.${encode(claims)}.`)).toBe('invalid_token')
    }
  })

  test.for(['', ' ', '\n', '\u0000', ' '.repeat(32)])('%j is none to start with', (BETTER_AUTH_SECRET) => {
    const production = { NODE_ENV: 'production', DATABASE_URL: 'postgresql://db.example/keyward' }
    expect(() => readConfig({ ...production, BETTER_AUTH_SECRET })).toThrow('BETTER_AUTH_SECRET')
  })

  test.for([[''], [[]], [['']], [undefined], [null], [{}], [[SECRET, '']]])(
    'makes no guard: %j',
    ([secret]) => {
      expect(() => createGuard({ secret: secret as string })).toThrow(RangeError)
    },
  )
})

describe('a token of absurd length (CVE-2025-30204)', () => {
  const guard = createGuard({ secret: SAMPLE_SECRET, clock: () => NOW })

  test.for([
    ['a million dots', '.'.repeat(1_000_000)],
    ['ten million letters', 'a'.repeat(10_000_000)],
    ['a right token and many dots', `${tokenOf(HEADER, CLAIMS)}${'.'.repeat(100_000)}`],
  ] as const)('is refused: %s', ([, token]) => {
    expect(guard.check(`Bearer ${token}`)).toMatchObject({ ok: false })
  })

  test('is refused even when it is rightly signed', () => {
    const padded = (length: number) => tokenOf(HEADER, { ...CLAIMS, padding: 'x'.repeat(length) })
    expect(guard.check(`Bearer ${padded(2_000)}`)).toMatchObject({ ok: true })
    expect(guard.check(`Bearer ${padded(4_000)}`)).toEqual({ ok: false, code: 'invalid_token' })
  })
})
