import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readConfig } from '../../src/config.js'

const SECRET = 'mV3xqLw8ZrT5nKc1YbH7dFg2JsPa9eUo'

describe('the token secret', () => {
  test.each([
    ['32 bytes', SECRET],
    ['32 bytes in 16 characters', 'éèàùâêîôûëïüçñöä'],
    ['spaces around it, which are part of it', ` ${SECRET} `],
  ])('may be %s', (_, secret) => {
    expect(readConfig({ BETTER_AUTH_SECRET: secret }).tokenSecret).toBe(secret)
  })

  test.each([
    ['31 bytes', SECRET.slice(1), 'must have at least 32 bytes'],
    ['30 bytes in 15 characters', 'éèàùâêîôûëïüçñö', 'must have at least 32 bytes'],
    ['one character again and again', 'k'.repeat(64), 'repeats itself'],
    ['one word again and again', 'secret'.repeat(6), 'repeats itself'],
    ['a piece twice', 'mV3xqLw8ZrT5nKc1'.repeat(2), 'repeats itself'],
    ['a piece twice and a bit', `${'mV3xqLw8ZrT5nKc1'.repeat(2)}mV3x`, 'repeats itself'],
    ['an example to change', 'please-change-me-to-something-random', 'is an example value'],
    ['an example in capitals', 'CHANGE_THIS_IN_PRODUCTION_0123456789', 'is an example value'],
    ['an example of yours', 'your-super-secret-jwt-key-0123456789', 'is an example value'],
    ['the example of its own name', 'better-auth-secret-0123456789-abcdef', 'is an example value'],
    ['half a surrogate pair', `${SECRET}\uD800`, 'must be valid text'],
    ['U+0000', `${SECRET}\u0000`, 'must be valid text'],
    ['bytes that were no UTF-8', `${SECRET}\uFFFD`, 'must be valid text'],
  ])('may not be %s, and is not printed', (_, secret, problem) => {
    const attempt = () => readConfig({ BETTER_AUTH_SECRET: secret })
    expect(attempt).toThrow(`- BETTER_AUTH_SECRET ${problem}`)
    expect(attempt).not.toThrow(secret)
  })
})

describe('a secret in a file', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'keyward-config-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const fileWith = (content: string | Buffer): string => {
    const path = join(folder, 'secret')
    writeFileSync(path, content)
    return path
  }
  const readFrom = (content: string | Buffer) => readConfig({ BETTER_AUTH_SECRET_FILE: fileWith(content) })

  test.each([
    ['as it is', SECRET],
    ['with a newline at its end', `${SECRET}\n`],
    ['with a Windows newline at its end', `${SECRET}\r\n`],
  ])('is read %s', (_, content) => {
    expect(readFrom(content).tokenSecret).toBe(SECRET)
  })

  test('loses one newline and nothing else', () => {
    expect(readFrom(` ${SECRET} \n\n`).tokenSecret).toBe(` ${SECRET} \n`)
  })

  test('may hold the URL of the database too', () => {
    const url = 'postgresql://keyward:db-pa55word@db.example/keyward'
    expect(readConfig({ DATABASE_URL_FILE: fileWith(`${url}\n`) }).databaseUrl).toBe(url)
  })

  test('is judged like any other, and not printed', () => {
    expect(() => readFrom('too-short')).toThrow('BETTER_AUTH_SECRET must have at least 32 bytes')
    expect(() => readFrom('too-short')).not.toThrow('too-short')
  })

  test('may not be bytes that are no text', () => {
    expect(() => readFrom(Buffer.alloc(64, 0xe9))).toThrow('BETTER_AUTH_SECRET must be valid text')
  })

  test('counts as unset when the file is empty', () => {
    expect(readFrom('\n').tokenSecret).toBeNull()
    expect(() =>
      readConfig({ NODE_ENV: 'production', EMBEDDED: 'on', BETTER_AUTH_SECRET_FILE: fileWith('') }),
    ).toThrow('BETTER_AUTH_SECRET must be set in production')
  })

  test('may not be given next to the variable', () => {
    const both = { BETTER_AUTH_SECRET: SECRET, BETTER_AUTH_SECRET_FILE: fileWith(SECRET) }
    expect(() => readConfig(both)).toThrow(
      'BETTER_AUTH_SECRET and BETTER_AUTH_SECRET_FILE are both set; keep one',
    )
    expect(() => readConfig(both)).not.toThrow(SECRET)
  })

  test('that cannot be read is named, and not called missing as well', () => {
    const path = join(folder, 'nowhere')
    const attempt = () =>
      readConfig({ NODE_ENV: 'production', EMBEDDED: 'on', BETTER_AUTH_SECRET_FILE: path })
    expect(attempt).toThrow(
      `BETTER_AUTH_SECRET cannot be read: BETTER_AUTH_SECRET_FILE must name a readable file`,
    )
    expect(attempt).not.toThrow('must be set')
  })

  test('is only a matter of secrets', () => {
    expect(readConfig({ PORT_FILE: fileWith('1234') }).port).toBe(8000)
  })
})
