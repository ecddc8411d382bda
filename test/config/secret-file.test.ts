import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { generateSecret, readOrCreateSecret } from '../../src/secret-file.js'

let folder: string
let dataDir: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyward-secret-'))
  dataDir = join(folder, 'deep', 'data')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const modeOf = (path: string): number => statSync(path).mode & 0o777
// Windows has no such permissions.
const onPosix = test.skipIf(process.platform === 'win32')

test('a secret is 256 random bits in 43 characters', () => {
  expect(generateSecret()).toMatch(/^[\w-]{43}$/)
  expect(Buffer.from(generateSecret(), 'base64url')).toHaveLength(32)
  expect(generateSecret()).not.toBe(generateSecret())
})

test('the first call makes the secret, and later ones read it', async () => {
  const secret = await readOrCreateSecret(dataDir)
  expect(secret).toMatch(/^[\w-]{43}$/)
  expect(await readOrCreateSecret(dataDir)).toBe(secret)
  expect(readFileSync(join(dataDir, 'secret'), 'utf8')).toBe(`${secret}\n`)
})

test('two folders have two secrets', async () => {
  expect(await readOrCreateSecret(dataDir)).not.toBe(await readOrCreateSecret(join(folder, 'other')))
})

onPosix('only its owner may read the secret and its folder', async () => {
  await readOrCreateSecret(dataDir)
  expect(modeOf(join(dataDir, 'secret'))).toBe(0o600)
  expect(modeOf(dataDir)).toBe(0o700)
})

onPosix.each([0o644, 0o640, 0o604])('a secret with mode %o is kept and closed again', async (mode) => {
  const secret = await readOrCreateSecret(dataDir)
  chmodSync(join(dataDir, 'secret'), mode)
  expect(await readOrCreateSecret(dataDir)).toBe(secret)
  expect(modeOf(join(dataDir, 'secret'))).toBe(0o600)
})

test('calls at the same time agree and leave nothing else behind', async () => {
  const secrets = await Promise.all(Array.from({ length: 20 }, () => readOrCreateSecret(dataDir)))
  expect(new Set(secrets).size).toBe(1)
  expect(readdirSync(dataDir)).toEqual(['secret'])
})

test('a secret brought from elsewhere is used as it is', async () => {
  await readOrCreateSecret(dataDir)
  writeFileSync(join(dataDir, 'secret'), 'mV3xqLw8ZrT5nKc1YbH7dFg2JsPa9eUo\r\n')
  expect(await readOrCreateSecret(dataDir)).toBe('mV3xqLw8ZrT5nKc1YbH7dFg2JsPa9eUo')
})

test('a secret that cannot be read is an error, and is not replaced', async () => {
  await readOrCreateSecret(join(dataDir, 'secret'))
  await expect(readOrCreateSecret(dataDir)).rejects.toMatchObject({ code: 'EISDIR' })
})
