import { describe, expect, test } from 'vitest'
import { createPasswordHasher } from '../../src/passwords/password-hasher.js'
import { createCountingEngine } from './counting-engine.js'

const RIGHT = 'C0rrect-horse!battery'
const WRONG = 'Wr0ng-horse!battery'
const NO_MATCH = { matches: false, outdated: false }
const SALT = 'CCCCCCCCCCCCCCCCCCCCC.'
const DIGEST = 'E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'
const bcryptOf = (cost: number): string => `$2b$${String(cost).padStart(2, '0')}$${SALT}${DIGEST}`
const CHEAPER = [4, 5, 6, 7, 8, 9, 10, 11].map((cost): [string, string] => [
  `a wrong password for a hash of cost ${cost}`,
  bcryptOf(cost),
])
const ARGON2ID = '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc'

describe('a refused login costs the same, whatever the reason (bcrypt at cost 12)', () => {
  const engine = createCountingEngine(RIGHT)
  const hasher = createPasswordHasher(engine, { scheme: 'bcrypt', bcryptCost: 12 })

  test.each<[string, string | null]>([
    ['an unknown address', null],
    ['a wrong password', bcryptOf(12)],
    ...CHEAPER,
    ['a wrong password for bcrypt_sha256', `$bcrypt-sha256$v=2,t=2b,r=12$${SALT}$${DIGEST}`],
    ['a wrong password for a cheap bcrypt_sha256', `$bcrypt-sha256$2b,10$${SALT}$${DIGEST}`],
    ['an unreadable hash', 'pbkdf2_sha256$260000$c29tZXNhbHQ$abc'],
    ['an empty hash', ''],
    ['a hash of an unsupported bcrypt', bcryptOf(12).replace('2b', '2x')],
    ['a bcrypt hash that no library decodes', bcryptOf(12).replace('.E5', 'CE5')],
    ['an argon2id hash that no library decodes', ARGON2ID.replace('t=2', 't=0')],
  ])('%s costs exactly one hash at cost 12', async (_, stored) => {
    expect(await hasher.verify(WRONG, stored)).toEqual(NO_MATCH)
    expect(engine.takeWork()).toEqual({ bcrypt: 2 ** 12, argon2id: 0 })
  })

  test('a right password costs no more than its own hash', async () => {
    expect(await hasher.verify(RIGHT, bcryptOf(10))).toEqual({ matches: true, outdated: true })
    expect(engine.takeWork()).toEqual({ bcrypt: 2 ** 10, argon2id: 0 })
  })

  test('a password that happens to match the dummy hash is still refused', async () => {
    for (const stored of [null, '', 'unreadable']) {
      expect(await hasher.verify(RIGHT, stored)).toEqual(NO_MATCH)
    }
  })
})

describe('a refused login costs the same, whatever the reason (argon2id)', () => {
  const engine = createCountingEngine(RIGHT)
  const hasher = createPasswordHasher(engine, { scheme: 'argon2id', bcryptCost: 12 })

  test.each([
    ['an unknown address', null],
    ['a wrong password', ARGON2ID],
    ['an unreadable hash', 'unreadable'],
    ['an argon2id hash that no library decodes', ARGON2ID.replace('p=1', 'p=0')],
  ])('%s costs exactly one argon2id hash', async (_, stored) => {
    expect(await hasher.verify(WRONG, stored)).toEqual(NO_MATCH)
    expect(engine.takeWork()).toEqual({ bcrypt: 0, argon2id: 1 })
  })
})
