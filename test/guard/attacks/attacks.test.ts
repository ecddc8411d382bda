import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createGuard } from '../../../src/guard/index.js'
import { NOW } from '../../core/sample-token.js'
import { ADAPTERS } from '../adapters/adapters.js'
import { encrypted } from './encrypted.js'
import { withDuplicateNames, withWrongClaims } from './forged-claims.js'
import {
  type Forgery,
  underAnotherName,
  withAGuessableSecret,
  withExtensions,
  withItsOwnKey,
  withMaliciousKid,
  withoutSignature,
} from './forged-headers.js'
import { withWrongSignatures } from './forged-signatures.js'
import { misshapen, respelled } from './forged-spellings.js'
import { EDDSA, ES256, guardOf, LAX_GUARD, RS256, type Victim, VICTIMS } from './victims.js'

/** Listens where the attackers' tokens say that keys are to be had. */
const attackersServer = createServer((request, response) => {
  fetched.push(String(request.url))
  response.end('{"keys":[]}')
})
const fetched: string[] = []
let attackersUrl = ''
beforeAll(async () => {
  attackersServer.listen(0, '127.0.0.1')
  await once(attackersServer, 'listening')
  attackersUrl = `http://127.0.0.1:${(attackersServer.address() as AddressInfo).port}`
})
afterAll(() => {
  attackersServer.closeAllConnections()
  attackersServer.close()
})

/** The fewest that a kind of forgery must come to, so that none falls away unseen. */
const KINDS: [string, number, (victim: Victim) => readonly Forgery[] | Promise<readonly Forgery[]>][] = [
  ['tokens without a signature', 100, withoutSignature],
  ['rightly signed tokens under the name of another algorithm', 15, underAnotherName],
  ['tokens with a MAC of what anybody knows', 28, withAGuessableSecret],
  ['tokens that name no key, or something else', 38, withMaliciousKid],
  ['tokens that bring a key along', 40, (victim) => withItsOwnKey(victim, attackersUrl)],
  ['tokens with extensions', 30, withExtensions],
  ['rightly signed tokens with wrong claims', 80, withWrongClaims],
  ['rightly signed tokens with names that come twice', 8, withDuplicateNames],
  ['respelled tokens', 33, respelled],
  ['what is no token', 20, misshapen],
  ['wrong signatures', 12, withWrongSignatures],
  ['encrypted tokens', 0, encrypted],
]
const forgeriesOf = async (victim: Victim): Promise<Forgery[]> =>
  (await Promise.all(KINDS.map(async ([, , forge]) => forge(victim)))).flat()

describe.each(VICTIMS)('with a key for $algorithm', (victim) => {
  const guards = { strict: guardOf(victim), lax: LAX_GUARD }

  test('the token that the attacks start from is accepted', () => {
    for (const guard of Object.values(guards)) {
      expect(guard.check(`Bearer ${victim.valid}`)).toMatchObject({ ok: true })
      expect(guard.check(`Bearer ${victim.token(victim.header)}`)).toMatchObject({ ok: true })
    }
  })

  test.each(KINDS)('%s are refused', async (_, atLeast, forge) => {
    const forgeries = await forge(victim)
    expect(forgeries.length).toBeGreaterThanOrEqual(atLeast)
    for (const [name, token] of forgeries) {
      for (const guard of Object.values(guards)) {
        const verdict = guard.check(`Bearer ${token}`)
        expect(verdict, name).toMatchObject({
          ok: false,
          code: expect.stringMatching(/^(invalid_token|not_authenticated|token_expired)$/),
        })
      }
    }
  })

  test.each(ADAPTERS)('all of them are refused by the adapter for $name', async (adapter) => {
    const api = await adapter.start(guards.lax, { optional: true })
    onTestFinished(() => api.close())
    // What does not fit into a header never gets that far.
    const sendable = (await forgeriesOf(victim)).filter(
      ([, token]) => token.length < 8000 && /^[\t\x20-\x7e\x80-\xff]*$/.test(token),
    )
    const statuses = await Promise.all(
      sendable.map(async ([name, token]) => {
        const { status } = await api.send('GET', '/', [['Authorization', `Bearer ${token}`]])
        return [name, status]
      }),
    )
    expect(statuses.filter(([, status]) => status !== 401)).toEqual([])
    expect(statuses.length).toBeGreaterThan(400)
    expect(api.principals).toEqual([])
    expect((await api.send('GET', '/', [['Authorization', `Bearer ${victim.valid}`]])).status).toBe(200)
  })
})

test('no key that a token points to is ever fetched', async () => {
  expect(await (await fetch(`${attackersUrl}/reachable`)).text()).toBe('{"keys":[]}')
  expect(fetched).toEqual(['/reachable'])
})

test('a guard that fetches its keys asks for no forgery but where it was told to', async () => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(String(request.url))
    response.end(JSON.stringify({ keys: [EDDSA, ES256, RS256].map(({ pair }) => pair.jwk) }))
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/.well-known/jwks.json`
  const guard = createGuard({ jwksUrl, clock: () => NOW, monotonicMs: () => 0 })
  for (const victim of [EDDSA, ES256, RS256]) {
    expect(await guard.check(`Bearer ${victim.valid}`)).toMatchObject({ ok: true })
    for (const [name, token] of await forgeriesOf(victim)) {
      expect(await guard.check(`Bearer ${token}`), name).toMatchObject({ ok: false })
    }
  }
  // Once for the first token, and once more for a forgery that names another key.
  expect(asked).toEqual(['/.well-known/jwks.json', '/.well-known/jwks.json'])
  expect(fetched).toEqual(['/reachable'])
})

describe('keys of several algorithms in one ring', () => {
  const pairs = [EDDSA, ES256, RS256].flatMap((one) =>
    [EDDSA, ES256, RS256].filter((other) => other !== one).map((other) => [one, other] as const),
  )
  test.each(pairs)('$0.algorithm is not to be had under the name of $1.algorithm', (one, other) => {
    for (const header of [
      { ...one.header, kid: other.header.kid },
      { ...other.header, kid: one.header.kid },
      other.header,
    ]) {
      expect(LAX_GUARD.check(`Bearer ${one.token(header)}`)).toEqual({ ok: false, code: 'invalid_token' })
    }
  })
})
