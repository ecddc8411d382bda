import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AccessTokenClaims } from '../../../src/core/access-token.js'
import { createGuard } from '../../../src/guard/index.js'
import { CLAIMS, SECRET } from '../../core/sample-token.js'
import { findPython } from '../../support/find-python.js'
import { skipBecause } from '../../support/skip-because.js'
import { EDDSA, ES256, RS256, type Victim, VICTIMS } from '../attacks/victims.js'
import { LIBRARIES, type Library, pyJwt } from './libraries.js'

type Ability = 'signs and verifies' | 'verifies' | 'neither'

/** What each library can do. A cell that is no longer true fails, so this is the list to read. */
const MATRIX: Record<string, Record<string, Ability>> = {
  jose: {
    HS256: 'signs and verifies',
    EdDSA: 'signs and verifies',
    ES256: 'signs and verifies',
    RS256: 'signs and verifies',
  },
  jsonwebtoken: {
    HS256: 'signs and verifies',
    EdDSA: 'neither',
    ES256: 'signs and verifies',
    RS256: 'signs and verifies',
  },
  'fast-jwt': {
    HS256: 'signs and verifies',
    EdDSA: 'signs and verifies',
    ES256: 'signs and verifies',
    RS256: 'signs and verifies',
  },
  'hono/jwt': {
    HS256: 'signs and verifies',
    EdDSA: 'signs and verifies',
    ES256: 'signs and verifies',
    RS256: 'signs and verifies',
  },
  'express-oauth2-jwt-bearer': {
    HS256: 'verifies',
    EdDSA: 'verifies',
    ES256: 'verifies',
    RS256: 'verifies',
  },
  PyJWT: {
    HS256: 'signs and verifies',
    EdDSA: 'signs and verifies',
    ES256: 'signs and verifies',
    RS256: 'signs and verifies',
  },
}

// By the system's clock: some of the libraries take no other.
const NOW_SECONDS = Math.floor(Date.now() / 1000)
const LIVE: AccessTokenClaims = { ...CLAIMS, iat: NOW_SECONDS - 1, exp: NOW_SECONDS + 3600, aud: 'api' }
const GUARD = createGuard({
  secret: SECRET,
  keys: [EDDSA, ES256, RS256].map(({ pair }) => pair.jwk),
  audience: 'api',
})

const works = (attempt: Promise<unknown>): Promise<boolean> =>
  attempt.then(
    () => true,
    () => false,
  )

async function abilityOf(library: Library, key: Victim): Promise<Ability> {
  const verifies = await works(library.verify(key, key.token(key.header, LIVE)))
  const signs = library.sign !== null && (await works(library.sign(key, LIVE)))
  if (signs) expect(verifies, 'what signs also verifies').toBe(true)
  return signs ? 'signs and verifies' : verifies ? 'verifies' : 'neither'
}

async function expectAgreement(library: Library, key: Victim): Promise<void> {
  const ability = await abilityOf(library, key)
  expect(ability).toBe(MATRIX[library.name]?.[key.algorithm])
  if (ability === 'neither') return
  const made = key.token(key.header, LIVE)
  expect(await library.verify(key, made)).toMatchObject(LIVE)
  for (const claims of [
    { ...LIVE, exp: NOW_SECONDS - 3600 },
    { ...LIVE, aud: 'other' },
    { ...LIVE, iss: 'other' },
  ]) {
    expect(await works(library.verify(key, key.token(key.header, claims)))).toBe(false)
  }
  expect(await works(library.verify(key, `${made.slice(0, -8)}AAAAAAAA`))).toBe(false)
  if (library.sign === null) return
  const verdict = GUARD.check(`Bearer ${await library.sign(key, LIVE)}`)
  expect(verdict).toMatchObject({ ok: true, principal: { id: LIVE.sub, sessionId: LIVE.sid } })
}

describe.each(LIBRARIES)('$name', (library) => {
  test.each(VICTIMS)('and Keyward understand each other’s tokens, or not: $algorithm', (key) =>
    expectAgreement(library, key),
  )
})

describe('PyJWT', () => {
  let python: string | null = null
  beforeAll(async () => {
    python = await findPython('jwt, cryptography')
  })

  beforeEach((context) => {
    if (python === null) skipBecause(context, 'no python3 here can import jwt, cryptography')
  })

  test.each(VICTIMS)('and Keyward understand each other’s tokens, or not: $algorithm', (key) =>
    expectAgreement(pyJwt(python ?? ''), key),
  )
})

test('the matrix has a row for every library, and a column for every algorithm', () => {
  expect(Object.keys(MATRIX)).toEqual([...LIBRARIES.map(({ name }) => name), 'PyJWT'])
  for (const row of Object.values(MATRIX)) {
    expect(Object.keys(row)).toEqual(VICTIMS.map(({ algorithm }) => algorithm))
  }
})
