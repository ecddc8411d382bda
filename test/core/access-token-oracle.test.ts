import fc from 'fast-check'
import { jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { signAccessToken, verifyAccessToken } from '../../src/core/access-token.js'
import { CLAIMS, HEADER, KEY, KEYRING, NOW, RULES, SECRET, tokenOf } from './sample-token.js'

const VALID = signAccessToken(KEY, CLAIMS)
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const judge = (token: string) =>
  verifyAccessToken(KEYRING, token, { ...RULES, acceptLegacyTokens: true }, NOW)

const SEED = 20_261_122
const joseAccepts = (token: string): Promise<boolean> =>
  jwtVerify(token, Buffer.from(SECRET), { algorithms: ['HS256'], currentDate: new Date(NOW) }).then(
    () => true,
    () => false,
  )

const character = fc.constantFrom(...Array.from(`${ALPHABET}.=+/ \né`))
const position = fc.nat({ max: VALID.length })
const edit = fc.oneof(
  fc.tuple(position, character).map(
    ([at, by]) =>
      (t: string) =>
        t.slice(0, at) + by + t.slice(at + 1),
  ),
  fc.tuple(position, character).map(
    ([at, by]) =>
      (t: string) =>
        t.slice(0, at) + by + t.slice(at),
  ),
  position.map((at) => (t: string) => t.slice(0, at) + t.slice(at + 1)),
  fc
    .shuffledSubarray([0, 1, 2], { minLength: 2 })
    .map((order) => (t: string) => order.map((index) => t.split('.')[index]).join('.')),
  fc.constant((t: string) => t),
)

test(`accepts no mutated token that jose refuses (seed ${SEED})`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
      const mutated = edits.reduce((token, apply) => apply(token), VALID)
      if (judge(mutated).ok) expect(await joseAccepts(mutated), mutated).toBe(true)
      // The other way round jose is laxer about spelling, but only one spelling is ours.
      if (mutated !== VALID) expect(judge(mutated)).toEqual({ ok: false, code: 'invalid_token' })
    }),
    { seed: SEED, numRuns: 500 },
  )
})

const oddHeader = fc.record(
  {
    alg: fc.constantFrom('HS256', 'none', 'HS512', null),
    typ: fc.constantFrom('JWT', 'jwt', 'at+jwt', 7),
    crit: fc.constantFrom(['b64'], ['exp'], [], 'b64'),
    b64: fc.boolean(),
  },
  { requiredKeys: ['alg'] },
)
const anyHeader = fc.oneof({ weight: 3, arbitrary: fc.constant(HEADER) }, { weight: 1, arbitrary: oddHeader })
const anyValue = fc.oneof(
  fc.constantFrom<unknown>(CLAIMS.sub, CLAIMS.exp, 'keyward', null, true, '', [], {}, undefined),
  fc.integer({ min: NOW / 1000 - 2, max: NOW / 1000 + 2 }),
)
// Few at a time: with more, hardly a token would be right enough to be accepted by anyone.
const changedClaims = fc
  .array(
    fc.tuple(fc.constantFrom('sub', 'exp', 'nbf', 'iat', 'iss', 'aud', 'sid', 'jti', 'email'), anyValue),
    {
      maxLength: 2,
    },
  )
  .map((entries): Record<string, unknown> => Object.fromEntries(entries))

test(`accepts no rightly signed token of any content that jose refuses (seed ${SEED})`, async () => {
  let accepted = 0
  await fc.assert(
    fc.asyncProperty(anyHeader, changedClaims, async (forged, changed) => {
      const token = tokenOf(forged, { ...CLAIMS, ...changed })
      if (!judge(token).ok) return
      accepted++
      expect(await joseAccepts(token), token).toBe(true)
    }),
    { seed: SEED, numRuns: 2000 },
  )
  expect(accepted).toBeGreaterThan(200)
})
