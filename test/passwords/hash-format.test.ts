import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nativeHashEngine } from '../support/native-hash-engine.js'
import { parseStoredHash } from '../../src/passwords/hash-format.js'

const SALT = 'CCCCCCCCCCCCCCCCCCCCC.'
const DIGEST = 'E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'
const argon2id = (
  parameters: string,
  salt = 'c29tZXNhbHQ',
  digest = 'bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc',
) => `$argon2id$v=19$${parameters}$${salt}$${digest}`

test.each(['2a', '2b', '2y'])('reads bcrypt with the prefix %s', (variant) => {
  const stored = `$${variant}$05$${SALT}${DIGEST}`
  expect(parseStoredHash(stored)).toEqual({ scheme: 'bcrypt', variant, cost: 5, modularCrypt: stored })
})

test('reads both versions of bcrypt_sha256 and finds the bcrypt hash inside', () => {
  const inside = { scheme: 'bcrypt-sha256', salt: SALT, cost: 5, modularCrypt: `$2b$05$${SALT}${DIGEST}` }
  expect(parseStoredHash(`$bcrypt-sha256$v=2,t=2b,r=5$${SALT}$${DIGEST}`)).toEqual({ ...inside, version: 2 })
  expect(parseStoredHash(`$bcrypt-sha256$2b,5$${SALT}$${DIGEST}`)).toEqual({ ...inside, version: 1 })
  expect(parseStoredHash(`$bcrypt-sha256$2a,12$${SALT}$${DIGEST}`)).toMatchObject({
    version: 1,
    cost: 12,
    modularCrypt: `$2a$12$${SALT}${DIGEST}`,
  })
})

test('reads argon2id and its parameters', () => {
  expect(parseStoredHash(argon2id('m=102400,t=2,p=8'))).toEqual({
    scheme: 'argon2id',
    memoryKib: 102_400,
    passes: 2,
    lanes: 8,
    phc: argon2id('m=102400,t=2,p=8'),
  })
})

test.each([
  ['empty text', ''],
  ['a password in clear text', 'C0rrect-horse!battery'],
  ['the mark of a disabled account', '!'],
  ['$2x$, the hash of a faulty old bcrypt', `$2x$05$${SALT}${DIGEST}`],
  ['$2$', `$2$05$${SALT}${DIGEST}`],
  ['a cost below 4', `$2b$03$${SALT}${DIGEST}`],
  ['a cost above 31', `$2b$32$${SALT}${DIGEST}`],
  ['a cost of one digit', `$2b$5$${SALT}${DIGEST}`],
  ['a hash cut short', `$2b$05$${SALT}${DIGEST.slice(1)}`],
  ['a hash too long', `$2b$05$${SALT}${DIGEST}A`],
  ['a line break behind', `$2b$05$${SALT}${DIGEST}\n`],
  ['a space in front', ` $2b$05$${SALT}${DIGEST}`],
  ['a foreign character', `$2b$05$${SALT}${DIGEST.replace('E', '+')}`],
  ['bits in the salt that it has no room for', `$2b$05$${SALT.replace('.', 'C')}${DIGEST}`],
  ['bits in the digest that it has no room for', `$2b$05$${SALT}${DIGEST.slice(0, -1)}X`],
  ['bcrypt_sha256 version 3', `$bcrypt-sha256$v=3,t=2b,r=5$${SALT}$${DIGEST}`],
  ['bcrypt_sha256 version 2 over $2a$', `$bcrypt-sha256$v=2,t=2a,r=5$${SALT}$${DIGEST}`],
  ['bcrypt_sha256 with a padded cost', `$bcrypt-sha256$v=2,t=2b,r=05$${SALT}$${DIGEST}`],
  ['bcrypt_sha256 with a cost below 4', `$bcrypt-sha256$v=2,t=2b,r=3$${SALT}$${DIGEST}`],
  ['argon2i', argon2id('m=256,t=2,p=1').replace('argon2id', 'argon2i')],
  ['argon2id version 16', argon2id('m=256,t=2,p=1').replace('v=19', 'v=16')],
  ['argon2id with no passes', argon2id('m=256,t=0,p=1')],
  ['argon2id with no lanes', argon2id('m=256,t=2,p=0')],
  ['argon2id with too little memory for its lanes', argon2id('m=15,t=2,p=2')],
  ['argon2id with a padded parameter', argon2id('m=0256,t=2,p=1')],
  ['argon2id in another order', argon2id('t=2,m=256,p=1')],
  ['argon2id with a salt of an impossible length', argon2id('m=256,t=2,p=1', 'A'.repeat(13))],
  ['argon2id with bits in the salt that it has no room for', argon2id('m=256,t=2,p=1', 'c29tZXNhbHR')],
  ['argon2id with a padded salt', argon2id('m=256,t=2,p=1', 'c29tZXNhbHQ=')],
  [
    'argon2id with a digest of an impossible length',
    argon2id('m=256,t=2,p=1', 'c29tZXNhbHQ', 'A'.repeat(25)),
  ],
  ['PBKDF2 of Django', 'pbkdf2_sha256$260000$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc='],
  ['MD5-crypt', '$1$deadbeef$Q7g0UO4hRC0mgQUQ/qkjZ0'],
  ['a hundred thousand characters', `$2b$05$${'C'.repeat(100_000)}`],
])('does not read %s', (_, stored) => {
  expect(parseStoredHash(stored)).toBeNull()
})

const SEED = 20_261_122

test(`the libraries can decode whatever is read (seed ${SEED})`, async () => {
  const base64 = fc.constantFrom(...Array.from('ABCQgwz059+/'))
  const text = (min: number, max: number) =>
    fc.array(base64, { minLength: min, maxLength: max }).map((parts) => parts.join(''))
  const parameters = fc
    .tuple(fc.nat({ max: 64 }), fc.nat({ max: 3 }), fc.nat({ max: 9 }))
    .map(([m, t, p]) => `m=${m},t=${t},p=${p}`)
  let read = 0
  await fc.assert(
    fc.asyncProperty(parameters, text(9, 30), text(20, 50), async (chosen, salt, digest) => {
      const stored = parseStoredHash(argon2id(chosen, salt, digest))
      if (stored?.scheme !== 'argon2id') return
      read++
      expect(await nativeHashEngine.argon2idVerify('password', stored.phc)).toBe(false)
    }),
    { seed: SEED, numRuns: 2000 },
  )
  expect(read).toBeGreaterThan(50)
})
