import { describe, expect, test } from 'vitest'
import { nativeHashEngine } from '../support/native-hash-engine.js'
import { createPasswordHasher, type HasherOptions } from '../../src/passwords/password-hasher.js'

const PASSWORD = 'C0rrect-horse!battery'
const NO_MATCH = { matches: false, outdated: false }
const CURRENT = { matches: true, outdated: false }
const OUTDATED = { matches: true, outdated: true }
const hasherWith = (options: Partial<HasherOptions> = {}) =>
  createPasswordHasher(nativeHashEngine, { scheme: 'bcrypt', bcryptCost: 4, ...options })
const hasher = hasherWith()
const argon2idHasher = hasherWith({ scheme: 'argon2id' })

describe('a new bcrypt hash', () => {
  test('is a plain one of the configured cost', async () => {
    expect(await hasher.hash(PASSWORD)).toMatch(/^\$2b\$04\$[./A-Za-z0-9]{53}$/)
    expect(await hasherWith({ bcryptCost: 10 }).hash(PASSWORD)).toMatch(/^\$2b\$10\$/)
  })

  test('is never the same twice', async () => {
    expect(await hasher.hash(PASSWORD)).not.toBe(await hasher.hash(PASSWORD))
  })

  test.each([
    ['71 bytes', 'a'.repeat(71), '$2b$04$'],
    ['72 bytes', 'a'.repeat(72), '$bcrypt-sha256$v=2,t=2b,r=4$'],
    ['73 bytes', 'a'.repeat(73), '$bcrypt-sha256$v=2,t=2b,r=4$'],
    ['35 two-byte letters', 'é'.repeat(35), '$2b$04$'],
    ['36 two-byte letters', 'é'.repeat(36), '$bcrypt-sha256$v=2,t=2b,r=4$'],
  ])('of a password of %s keeps all of it', async (_, password, prefix) => {
    const stored = await hasher.hash(password)
    expect(stored.startsWith(prefix), stored).toBe(true)
    expect(await hasher.verify(password, stored)).toEqual(CURRENT)
  })
})

test('a new argon2id hash has the recommended parameters', async () => {
  const stored = await argon2idHasher.hash(PASSWORD)
  expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect(await argon2idHasher.verify(PASSWORD, stored)).toEqual(CURRENT)
  expect(await argon2idHasher.verify(`${PASSWORD} `, stored)).toEqual(NO_MATCH)
})

const a = 'a'.repeat(71)
describe.each([
  ['bcrypt', hasher],
  ['argon2id', argon2idHasher],
])('with %s, only the very same password matches', (_, hasher) => {
  test.each([
    ['the last of 73 characters', `${a}aX`, `${a}aY`],
    ['the 72nd character', a, `${a}a`],
    ['the 73rd character', `${a}a`, `${a}aa`],
    ['what follows 36 two-byte letters', `${'é'.repeat(36)}X`, `${'é'.repeat(36)}Y`],
    ['letter case', 'C0rrect-horse!', 'c0rrect-horse!'],
    ['a space behind', 'C0rrect-horse!', 'C0rrect-horse! '],
    ['a space in front', 'C0rrect-horse!', ' C0rrect-horse!'],
    ['composition of an accent', 'C0rrect-é!', 'C0rrect-e\u0301!'],
    ['what follows U+0000', 'pass\u0000one', 'pass\u0000two'],
    ['everything from U+0000 on', 'pass\u0000one', 'pass'],
    ['256 characters more', 'C0rrect-horse!', `C0rrect-horse!${'x'.repeat(256)}`],
  ])('and not one that differs in %s', async (_, one, other) => {
    expect(await hasher.verify(one, await hasher.hash(one))).toEqual(CURRENT)
    expect(await hasher.verify(other, await hasher.hash(one))).toEqual(NO_MATCH)
    expect(await hasher.verify(one, await hasher.hash(other))).toEqual(NO_MATCH)
  })
})

describe('a hash is outdated', () => {
  const variantOf = async (variant: string): Promise<string> =>
    (await hasher.hash(PASSWORD)).replace('$2b$', `$${variant}$`)

  test.each(['2a', '2y'])('when it begins with $%s$', async (variant) => {
    expect(await hasher.verify(PASSWORD, await variantOf(variant))).toEqual(OUTDATED)
  })

  test('when its cost is lower than configured', async () => {
    const stored = await hasher.hash(PASSWORD)
    expect(await hasherWith({ bcryptCost: 5 }).verify(PASSWORD, stored)).toEqual(OUTDATED)
    const long = await hasher.hash(`${a}aX`)
    expect(await hasherWith({ bcryptCost: 5 }).verify(`${a}aX`, long)).toEqual(OUTDATED)
  })

  test('when it is of the scheme that is not configured', async () => {
    expect(await argon2idHasher.verify(PASSWORD, await hasher.hash(PASSWORD))).toEqual(OUTDATED)
    expect(await hasher.verify(PASSWORD, await argon2idHasher.hash(PASSWORD))).toEqual(OUTDATED)
  })

  test('when it is a plain one that ignores the end of a long password', async () => {
    const stored = await nativeHashEngine.bcryptHash(`${a}a`, 4, Buffer.alloc(16, 1))
    expect(await hasher.verify(`${a}a`, stored)).toEqual(OUTDATED)
    // What bcrypt and passlib have always done with such a hash; the new hash ends it.
    expect(await hasher.verify(`${a}aX`, stored)).toEqual(OUTDATED)
    expect(await hasher.verify(a, stored)).toEqual(NO_MATCH)
  })

  test.each([
    ['less memory', '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4'],
    [
      'fewer passes',
      '$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg',
    ],
  ])('when it is argon2id with %s', async (_, stored) => {
    expect(await argon2idHasher.verify('password', stored)).toEqual(OUTDATED)
  })

  test('but not when its cost is higher than configured', async () => {
    const stored = await hasherWith({ bcryptCost: 5 }).hash(PASSWORD)
    expect(await hasher.verify(PASSWORD, stored)).toEqual(CURRENT)
  })

  test('but not when it is argon2id with more memory and passes', async () => {
    const stored = '$argon2id$v=19$m=65536,t=4,p=1$c29tZXNhbHQ$kCXUjmjvc5XMqQedpMTsOv+zyJEf5PhtGiUghW9jFyw'
    expect(await argon2idHasher.verify('password', stored)).toEqual(CURRENT)
  })

  test('and that is not said of a wrong password', async () => {
    expect(await hasher.verify('Wr0ng-horse!', await variantOf('2a'))).toEqual(NO_MATCH)
  })
})

test.each([
  ['no account', null],
  ['an empty hash', ''],
  ['the password itself', PASSWORD],
  ['$2x$', `$2x$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW`],
  ['bcrypt with stray bits', `$2b$04$CCCCCCCCCCCCCCCCCCCCCCE5YPO9kmyuRGyh0XouQYb4YMJKvyOeW`],
  [
    'argon2id without passes',
    '$argon2id$v=19$m=256,t=0,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  ],
  [
    'argon2id with stray bits',
    '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHR$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  ],
  [
    'argon2id for too many lanes',
    '$argon2id$v=19$m=256,t=2,p=999$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  ],
])('%s matches no password, without an error', async (_, stored) => {
  for (const password of [PASSWORD, 'password', '']) {
    expect(await hasher.verify(password, stored)).toEqual(NO_MATCH)
    expect(await argon2idHasher.verify(password, stored)).toEqual(NO_MATCH)
  }
})
