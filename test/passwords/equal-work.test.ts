import { describe, expect, test } from 'vitest'
import { createPasswordHasher } from '../../src/passwords/password-hasher.js'
import { createCountingEngine } from './counting-engine.js'

const RIGHT = 'C0rrect-horse!battery'
const WRONG = 'Wr0ng-horse!battery'
const NO_MATCH = { matches: false, outdated: false }
const SALT = 'CCCCCCCCCCCCCCCCCCCCC.'
const DIGEST = 'E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'
const twoDigits = (cost: number): string => String(cost).padStart(2, '0')
const bcryptOf = (cost: number): string => `$2b$${twoDigits(cost)}$${SALT}${DIGEST}`
const argon2idOf = (parameters: string): string =>
  `$argon2id$v=19$${parameters}$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc`
const ARGON2ID = argon2idOf('m=19456,t=2,p=1')
const UNREADABLE: [string, string][] = [
  ['an unreadable hash', 'pbkdf2_sha256$260000$c29tZXNhbHQ$abc'],
  ['an empty hash', ''],
  ['a hash of an unsupported bcrypt', bcryptOf(12).replace('2b', '2x')],
  ['a bcrypt hash that no library decodes', bcryptOf(12).replace('.E5', 'CE5')],
  ['an argon2id hash that no library decodes', ARGON2ID.replace('t=2', 't=0')],
]

describe('where all hashes are of the configured bcrypt, each refusal costs exactly one of them', () => {
  const engine = createCountingEngine(RIGHT)
  const hasher = createPasswordHasher(engine, { scheme: 'bcrypt', bcryptCost: 12 })
  hasher.coverKinds(['$2b$12', '$bcrypt-sha256$v=2,t=2b,r=12'])

  test.each<[string, string | null]>([
    ['an unknown address', null],
    ['a wrong password', bcryptOf(12)],
    ['a wrong password for bcrypt_sha256', `$bcrypt-sha256$v=2,t=2b,r=12$${SALT}$${DIGEST}`],
    ...UNREADABLE,
  ])('%s', async (_, stored) => {
    expect(await hasher.verify(WRONG, stored)).toEqual(NO_MATCH)
    expect(engine.takeWork()).toEqual(['bcrypt 12'])
  })

  test('a password that happens to match the decoy is still refused', async () => {
    for (const stored of [null, '', 'unreadable']) {
      expect(await hasher.verify(RIGHT, stored)).toEqual(NO_MATCH)
    }
  })
})

describe('where all hashes are of the configured argon2id, each refusal costs exactly one of them', () => {
  const engine = createCountingEngine(RIGHT)
  const hasher = createPasswordHasher(engine, { scheme: 'argon2id', bcryptCost: 12 })
  hasher.coverKinds(['$argon2id$v=19$m=19456,t=2,p=1'])

  test.each<[string, string | null]>([
    ['an unknown address', null],
    ['a wrong password', ARGON2ID],
    ...UNREADABLE,
    ['an argon2id hash without lanes', ARGON2ID.replace('p=1', 'p=0')],
  ])('%s', async (_, stored) => {
    expect(await hasher.verify(WRONG, stored)).toEqual(NO_MATCH)
    expect(engine.takeWork()).toEqual(['argon2id m=19456,t=2,p=1'])
  })
})

describe.each(['bcrypt', 'argon2id'] as const)('where hashes of many kinds stand beside %s', (scheme) => {
  const engine = createCountingEngine(RIGHT)
  const hasher = createPasswordHasher(engine, { scheme, bcryptCost: 12 })
  const beginnings = [
    '$2a$08',
    '$2b$10',
    '$2y$13',
    '$2b$12',
    '$bcrypt-sha256$2b,10',
    '$bcrypt-sha256$v=2,t=2b,r=12',
    '$argon2id$v=19$m=19456,t=2,p=1',
    '$argon2id$v=19$m=65536,t=3,p=4',
    'nonsense',
    '',
  ]
  const ONE_OF_EACH = [
    'argon2id m=19456,t=2,p=1',
    'argon2id m=65536,t=3,p=4',
    'bcrypt 08',
    'bcrypt 10',
    'bcrypt 12',
    'bcrypt 13',
  ]

  test.each<[string, string | null]>([
    ['an unknown address', null],
    ['a wrong password', bcryptOf(12)],
    ['a cheaper bcrypt hash', bcryptOf(10)],
    ['a cheaper $2a$ hash', bcryptOf(8).replace('2b', '2a')],
    ['a dearer bcrypt hash', bcryptOf(13)],
    ['a bcrypt_sha256 hash', `$bcrypt-sha256$v=2,t=2b,r=12$${SALT}$${DIGEST}`],
    ['an older, cheaper bcrypt_sha256 hash', `$bcrypt-sha256$2b,10$${SALT}$${DIGEST}`],
    ['an argon2id hash', ARGON2ID],
    ['an argon2id hash as passlib makes it', argon2idOf('m=65536,t=3,p=4')],
    ...UNREADABLE,
  ])('a refusal costs one hash of each kind for %s', async (_, stored) => {
    hasher.coverKinds(beginnings)
    expect(await hasher.verify(WRONG, stored)).toEqual(NO_MATCH)
    expect(engine.takeWork()).toEqual(ONE_OF_EACH)
  })

  test.each([
    [bcryptOf(10), 'bcrypt 10'],
    [argon2idOf('m=65536,t=3,p=4'), 'argon2id m=65536,t=3,p=4'],
  ])('the right password costs no more than its own hash, %s', async (stored, work) => {
    hasher.coverKinds(beginnings)
    expect(await hasher.verify(RIGHT, stored)).toMatchObject({ matches: true })
    expect(engine.takeWork()).toEqual([work])
  })

  test('a kind that has gone from the table costs nothing any more', async () => {
    hasher.coverKinds(beginnings)
    const kinds = hasher.coverKinds(['$2b$12', '$argon2id$v=19$m=19456,t=2,p=1'])
    expect(kinds).toHaveLength(2)
    await hasher.verify(WRONG, null)
    expect(engine.takeWork()).toEqual(['argon2id m=19456,t=2,p=1', 'bcrypt 12'])
  })
})

describe('what others have to bear for a dear hash has a bound', () => {
  const kindsOf = (bcryptCost: number, beginnings: readonly string[]): readonly string[] =>
    createPasswordHasher(createCountingEngine(RIGHT), { scheme: 'bcrypt', bcryptCost }).coverKinds(beginnings)

  test('of about a second', () => {
    const dear = ['$2b$15', '$2b$20', '$argon2id$v=19$m=1048576,t=3,p=1']
    expect(kindsOf(12, ['$2b$14', ...dear])).toEqual(['bcrypt cost=12', 'bcrypt cost=14'])
  })

  test('that is never below what is configured', () => {
    expect(kindsOf(16, ['$2b$15', '$2b$17'])).toEqual(['bcrypt cost=16', 'bcrypt cost=15'])
  })

  test('of eight kinds, the cheapest', () => {
    const costs = [14, 13, 11, 10, 9, 8, 7, 6, 5, 4]
    const kinds = kindsOf(
      12,
      costs.map((cost) => `$2b$${twoDigits(cost)}`),
    )
    expect(kinds).toEqual([12, 4, 5, 6, 7, 8, 9, 10].map((cost) => `bcrypt cost=${cost}`))
  })
})
