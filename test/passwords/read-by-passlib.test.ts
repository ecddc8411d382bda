import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { nativeHashEngine } from '../support/native-hash-engine.js'
import { createPasswordHasher } from '../../src/passwords/password-hasher.js'

const PROBE = 'from passlib.hash import argon2, bcrypt; bcrypt.using(rounds=4).hash("x"); argon2.hash("x")'
const VERIFY = `
import json, sys
from passlib.context import CryptContext
context = CryptContext(schemes=['bcrypt', 'bcrypt_sha256', 'argon2'])
print(json.dumps([context.verify(password, stored) for password, stored in json.load(sys.stdin)]))
`

// A version manager's python3 may come first on the path and lack the distribution's packages.
const python = ['python3', '/usr/bin/python3'].find(
  (command) => spawnSync(command, ['-c', PROBE]).status === 0,
)
const NO_PASSLIB = 'no python3 here has passlib with bcrypt and argon2, so nobody can read our hashes'
if (python === undefined) {
  // oxlint-disable-next-line no-console -- a skipped check must say so
  console.warn(`Skipped: ${NO_PASSLIB}`)
}

function passlibVerifies(
  python: string,
  pairs: readonly (readonly [password: string, stored: string])[],
): boolean[] {
  const { stdout, stderr } = spawnSync(python, ['-c', VERIFY], {
    input: JSON.stringify(pairs),
    encoding: 'utf8',
  })
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout) as boolean[]
}

test.for([
  ['plain bcrypt', 'bcrypt', 'C0rrect-horse!battery', '$2b$'],
  ['plain bcrypt of 71 bytes', 'bcrypt', `${'a'.repeat(70)}1`, '$2b$'],
  ['plain bcrypt, not ASCII', 'bcrypt', 'Größe-ñandú-пароль-密碼-🔑1!', '$2b$'],
  ['bcrypt-sha256 of 72 bytes', 'bcrypt', 'a'.repeat(72), '$bcrypt-sha256$v=2,t=2b,r=4$'],
  ['bcrypt-sha256, not ASCII', 'bcrypt', 'ö'.repeat(100), '$bcrypt-sha256$v=2,t=2b,r=4$'],
  ['argon2id', 'argon2id', 'C0rrect-horse!battery', '$argon2id$'],
] as const)(
  'passlib matches the right password, and no other, with our %s',
  async ([, scheme, password, prefix], context) => {
    if (python === undefined) return context.skip(NO_PASSLIB)
    const hasher = createPasswordHasher(nativeHashEngine, { scheme, bcryptCost: 4 })
    const stored = await hasher.hash(password)
    expect(stored.startsWith(prefix), stored).toBe(true)
    expect(
      passlibVerifies(python, [
        [password, stored],
        [`${password}x`, stored],
        [password.slice(1), stored],
      ]),
    ).toEqual([true, false, false])
  },
)
