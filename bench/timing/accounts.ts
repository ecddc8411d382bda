import { hashSync as argon2Hash } from '@node-rs/argon2'
import { hashSync as bcryptHash } from '@node-rs/bcrypt'
import { randomBytes } from 'node:crypto'
import type { Sql } from '../seed.js'
import { PASSWORD } from '../servers/keyward.js'

/** Log-ins that are all refused alike, and must take alike. */
export interface RefusalClass {
  readonly name: string
  /** Of the accounts; null where there are none. */
  readonly storedHash: string | null
  readonly isActive: boolean
}

/** A deployment: how it hashes, and what it has in its table. The first class is what the others are compared with. */
export interface Deployment {
  readonly name: string
  readonly settings: Readonly<Record<string, string>>
  readonly classes: readonly RefusalClass[]
}

const SALT_LENGTH = 22
const bcryptOf = (cost: number, variant = '2b'): string =>
  bcryptHash(PASSWORD, cost).replace('$2b$', `$${variant}$`)

/** The formats of passlib's bcrypt_sha256. Whether the digest is right does not matter to a wrong password. */
function bcryptSha256Of(version: 1 | 2, cost: number): string {
  const saltAndDigest = bcryptOf(cost).slice('$2b$00$'.length)
  const head = version === 1 ? `$bcrypt-sha256$2b,${cost}` : `$bcrypt-sha256$v=2,t=2b,r=${cost}`
  return `${head}$${saltAndDigest.slice(0, SALT_LENGTH)}$${saltAndDigest.slice(SALT_LENGTH)}`
}

const ARGON2ID = 2
const argon2idOf = (memoryKib: number, passes: number): string =>
  argon2Hash(PASSWORD, { algorithm: ARGON2ID, memoryCost: memoryKib, timeCost: passes, parallelism: 1 })

const known = (name: string, storedHash: string, isActive = true): RefusalClass => ({
  name,
  storedHash,
  isActive,
})

/** The second sample of the same says how much of a difference is the machine's. */
const commonClasses = (storedHash: string): RefusalClass[] => [
  known('wrong password', storedHash),
  known('wrong password, once more', storedHash),
  { name: 'unknown e-mail', storedHash: null, isActive: false },
  known('disabled account', storedHash, false),
]

// Hashes as cheap as they can be: at the usual cost, what happens around them could not be seen.
export const DEPLOYMENTS: Readonly<Record<string, Deployment>> = {
  own: {
    name: 'Own hashes only',
    settings: { BCRYPT_COST: '4' },
    classes: [...commonClasses(bcryptOf(4)), known('password of 72 bytes and more', bcryptSha256Of(2, 4))],
  },
  mixed: {
    name: 'Hashes of many kinds',
    settings: { BCRYPT_COST: '5' },
    classes: [
      ...commonClasses(bcryptOf(5)),
      known('cheaper bcrypt', bcryptOf(4)),
      known('dearer bcrypt', bcryptOf(6)),
      known('older bcrypt ($2a$)', bcryptOf(5, '2a')),
      known('passlib bcrypt_sha256, version 1, cheaper', bcryptSha256Of(1, 4)),
      known('argon2id', argon2idOf(1_024, 1)),
      known('disabled account, argon2id', argon2idOf(1_024, 1), false),
      known('hash in an unknown format', 'pbkdf2_sha256$260000$c29tZXNhbHQ$abc'),
    ],
  },
  argon2id: {
    name: 'argon2id, with older hashes',
    settings: { PASSWORD_HASH: 'argon2id' },
    classes: [...commonClasses(argon2idOf(19_456, 2)), known('bcrypt', bcryptOf(4))],
  },
}

/** Random, so that neither length nor place in an index differs between those that exist and those that don't. */
export const randomEmail = (): string => `${randomBytes(12).toString('hex')}@example.com`

/** Makes `count` accounts of each class that has any; returns the e-mails of each class. */
export async function seedClasses(
  sql: Sql,
  classes: readonly RefusalClass[],
  count: number,
): Promise<string[][]> {
  const emails = classes.map(() => Array.from({ length: count }, randomEmail))
  for (const [index, { storedHash, isActive }] of classes.entries()) {
    if (storedHash === null) continue
    await sql(
      `insert into users (id, email, name, password_hash, is_active)
       select gen_random_uuid(), email, 'Somebody', $2, $3 from unnest($1::text[]) as email`,
      [emails[index], storedHash, isActive],
    )
  }
  await sql('vacuum analyze')
  return emails
}
