import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { nativeHashEngine } from '../support/native-hash-engine.js'
import { createPasswordHasher } from '../../src/passwords/password-hasher.js'

const hasher = createPasswordHasher(nativeHashEngine, { scheme: 'bcrypt', bcryptCost: 4 })
const read = (path: string): unknown =>
  JSON.parse(readFileSync(new URL(`../vectors/${path}`, import.meta.url), 'utf8'))

interface NegativePair {
  readonly name: string
  readonly a_hex?: string
  readonly b_hex?: string
  readonly a_utf8?: string
  readonly b_utf8?: string
  readonly length?: readonly number[]
}

const bcrypt = read('bcrypt/bcrypt-vectors.json') as {
  vectors: { hash: string; password_hex: string }[]
  server_negative_pairs: NegativePair[]
}

describe('crypt_blowfish', () => {
  const vectors = bcrypt.vectors.map(({ hash, password_hex: hex }) => {
    const bytes = Buffer.from(hex, 'hex')
    return { hash, bytes, text: bytes.toString() }
  })
  const isText = ({ bytes, text }: { bytes: Buffer; text: string }): boolean =>
    Buffer.from(text).equals(bytes)

  // The other twelve passwords are not UTF-8, so no client can send them as JSON.
  test('has eight vectors whose password is text', () => {
    expect(vectors.filter(isText)).toHaveLength(8)
    expect(vectors).toHaveLength(20)
  })

  test.each(vectors.filter(isText))('$hash matches its password and no other', async ({ hash, text }) => {
    expect(await hasher.verify(text, hash)).toEqual({ matches: true, outdated: true })
    expect((await hasher.verify(`${text.slice(0, 10)}#`, hash)).matches).toBe(false)
  })
})

describe('pairs of passwords that bcrypt alone would confuse', () => {
  const fromHex = (hex: string | undefined): string => Buffer.from(hex ?? '', 'hex').toString()
  const pairs = bcrypt.server_negative_pairs.flatMap(({ name, length, ...pair }) =>
    length
      ? length.map((n) => ({ name: `${name}: ${n}`, a: 'a'.repeat(n), b: 'a'.repeat(n % 256) }))
      : [{ name, a: pair.a_utf8 ?? fromHex(pair.a_hex), b: pair.b_utf8 ?? fromHex(pair.b_hex) }],
  )

  test.each(pairs.filter(({ a, b }) => a !== b))('$name', async ({ a, b }) => {
    const [storedA, storedB] = await Promise.all([hasher.hash(a), hasher.hash(b)])
    expect((await hasher.verify(a, storedA)).matches).toBe(true)
    expect((await hasher.verify(b, storedA)).matches).toBe(false)
    expect((await hasher.verify(a, storedB)).matches).toBe(false)
  })
})

const argon2 = read('argon2/argon2id-vectors.json') as { vectors: { encoded: string; password: string }[] }

test.each(argon2.vectors)('$encoded matches its password and no other', async ({ encoded, password }) => {
  expect(await hasher.verify(password, encoded)).toEqual({ matches: true, outdated: true })
  expect((await hasher.verify(`${password}.`, encoded)).matches).toBe(false)
})

const passlib = read('passlib/passlib-vectors.json') as { name: string; password: string; hash: string }[]

// These ignore what comes after byte 72, as passlib does; the rest must not.
const IGNORES_THE_END = 'bcrypt 2b, longer than 72 bytes'

test.each(passlib)(
  'passlib’s hash "$name" matches its password and no other',
  async ({ name, password, hash }) => {
    expect((await hasher.verify(password, hash)).matches).toBe(true)
    expect((await hasher.verify(password.toLowerCase().toUpperCase(), hash)).matches).toBe(false)
    expect((await hasher.verify(`${password}.`, hash)).matches).toBe(name === IGNORES_THE_END)
  },
)

const CURRENT = new Set(['bcrypt 2b cost 12', 'bcrypt 2b cost 10', 'bcrypt 2b, not ASCII'])

test.each(passlib)(
  'passlib’s hash "$name" is replaced at the next login unless it is as good as ours',
  async (vector) => {
    const { outdated } = await hasher.verify(vector.password, vector.hash)
    expect(outdated).toBe(!(CURRENT.has(vector.name) || vector.name.startsWith('bcrypt_sha256 version 2')))
  },
)
