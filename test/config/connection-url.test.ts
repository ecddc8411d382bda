import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readConfig } from '../../src/config.js'
import { parseConnectionUrl } from '../../src/db/connection-url.js'

const BASE = 'postgresql://keyward:db-pa55word@db.example/keyward'
const VERIFIED = { rejectUnauthorized: true }

/** What the driver makes of it in the end: it reads the URL too, and what it finds there overrules the options. */
const driverTls = (url: string): unknown => {
  const { connectionString, ssl } = parseConnectionUrl(url)
  return new pg.Client({ connectionString, ssl }).ssl
}

test('the URL of a pooled database as Neon hands it out gets verified TLS', () => {
  const host = 'ep-cool-rain-123456-pooler.eu-central-1.aws.neon.tech'
  const url = `postgresql://keyward:db-pa55word@${host}/keyward?sslmode=require&channel_binding=require`
  expect(parseConnectionUrl(url)).toEqual({
    connectionString: `postgresql://keyward:db-pa55word@${host}/keyward`,
    ssl: VERIFIED,
  })
  expect(driverTls(url)).toEqual(VERIFIED)
})

test.each([
  'sslmode=require',
  'sslmode=verify-ca',
  'sslmode=verify-full',
  'sslmode=verify-full&sslrootcert=system',
  'sslmode=require&uselibpqcompat=true',
  'sslmode=require&ssl=0',
  'sslmode=require&ssl=no-verify',
  'sslmode=require&sslmode=disable',
  'ssl=true',
  'ssl=1',
])('%s means TLS with a verified certificate', (parameters) => {
  expect(parseConnectionUrl(`${BASE}?${parameters}`)).toEqual({ connectionString: BASE, ssl: VERIFIED })
  expect(driverTls(`${BASE}?${parameters}`)).toEqual(VERIFIED)
})

test.each(['', 'sslmode=disable', 'sslmode=allow', 'sslmode=prefer', 'ssl=false', 'ssl=0'])(
  '%j means no TLS',
  (parameters) => {
    expect(parseConnectionUrl(`${BASE}?${parameters}`).ssl).toBe(false)
    expect(driverTls(`${BASE}?${parameters}`)).toBe(false)
  },
)

test.each(['sslmode=no-verify', 'sslmode=REQUIRE', 'sslmode=', 'ssl=no-verify'])(
  '%s is refused',
  (parameters) => {
    expect(() => parseConnectionUrl(`${BASE}?${parameters}`)).toThrow(
      'has an unknown sslmode; use disable, require or verify-full',
    )
  },
)

describe('a certificate authority of one’s own', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'keyward-tls-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('is read from sslrootcert', () => {
    const path = join(folder, 'root.crt')
    writeFileSync(path, 'a certificate')
    const url = `${BASE}?sslmode=verify-full&sslrootcert=${encodeURIComponent(path)}`
    expect(driverTls(url)).toEqual({ rejectUnauthorized: true, ca: 'a certificate' })
  })

  test('that cannot be read is named, without the URL', () => {
    const path = join(folder, 'nowhere.crt')
    const attempt = () => parseConnectionUrl(`${BASE}?sslmode=require&sslrootcert=${path}`)
    expect(attempt).toThrow(`names an sslrootcert that cannot be read: ${path}`)
    expect(attempt).not.toThrow('pa55word')
  })

  test('that is empty does not stand for the system’s', () => {
    const path = join(folder, 'empty.crt')
    writeFileSync(path, '\n')
    expect(() => parseConnectionUrl(`${BASE}?sslmode=require&sslrootcert=${path}`)).toThrow('cannot be read')
  })
})

describe('a certificate of one’s own', () => {
  const fixture = (name: string): string => join(import.meta.dirname, '../fixtures/tls', name)
  const pair = `sslcert=${fixture('server.crt')}&sslkey=${fixture('server.key')}`

  test.each(['require', 'verify-full'])(
    'is shown with sslmode=%s, to a server that is verified',
    (sslmode) => {
      const url = `${BASE}?sslmode=${sslmode}&${pair}&sslrootcert=${fixture('ca.crt')}`
      expect(parseConnectionUrl(url).connectionString).toBe(BASE)
      expect(driverTls(url)).toEqual({ rejectUnauthorized: true, secureContext: expect.any(Object) })
    },
  )

  test.each(['', 'sslmode=disable&', 'sslmode=prefer&', 'ssl=0&'])(
    'is never left unused: with %j it is refused',
    (parameters) => {
      expect(() => parseConnectionUrl(`${BASE}?${parameters}${pair}`)).toThrow(
        'has an sslcert, which needs sslmode=verify-full',
      )
    },
  )

  test.each([
    ['without its key', `sslcert=${fixture('server.crt')}`, 'needs sslcert and sslkey together'],
    ['that is a key alone', `sslkey=${fixture('server.key')}`, 'needs sslcert and sslkey together'],
    [
      'that is not there',
      `sslcert=/nowhere.crt&sslkey=${fixture('server.key')}`,
      'names an sslcert that cannot be read: /nowhere.crt',
    ],
    [
      'whose key is not there',
      `sslcert=${fixture('server.crt')}&sslkey=/nowhere.key`,
      'names an sslkey that cannot be read: /nowhere.key',
    ],
    [
      'with the key of another',
      `sslcert=${fixture('ca.crt')}&sslkey=${fixture('server.key')}`,
      'names an sslcert and an sslkey that do not fit each other',
    ],
    [
      'that is none',
      `sslcert=${fixture('README.md')}&sslkey=${fixture('server.key')}`,
      'names an sslcert and an sslkey that do not fit each other',
    ],
  ])('%s is refused, without the URL', (_, parameters, words) => {
    const attempt = () => readConfig({ DATABASE_URL: `${BASE}?sslmode=verify-full&${parameters}` })
    expect(attempt).toThrow(`DATABASE_URL ${words}`)
    expect(attempt).not.toThrow('pa55word')
  })
})

test.each([
  ['postgres:', 'postgres://keyward:x@db.example/keyward'],
  ['postgresql:', 'postgresql://keyward:x@db.example/keyward'],
  ['postgresql+psycopg2:', 'postgresql://keyward:x@db.example/keyward'],
  ['postgresql+asyncpg:', 'postgresql://keyward:x@db.example/keyward'],
  ['postgres+psycopg:', 'postgres://keyward:x@db.example/keyward'],
])('a URL may begin with %s', (protocol, plain) => {
  expect(parseConnectionUrl(`${protocol}//keyward:x@db.example/keyward`).connectionString).toBe(plain)
})

test('other parameters, the port and an escaped password stay as they are', () => {
  const url = 'postgresql://key%40ward:p%2Fa%3Ass@db.example:6543/keyward?options=-csearch_path%3Dauth'
  expect(parseConnectionUrl(url).connectionString).toBe(url)
})

test.each([
  'mysql://keyward:db-pa55word@db.example/keyward',
  'sqlite:///keyward.db',
  'postgresql+//db.example/keyward',
  'host=db.example password=db-pa55word',
  'db.example',
  ' ',
])('%j is refused as a database, and not repeated', (url) => {
  const attempt = () => readConfig({ DATABASE_URL: url })
  expect(attempt).toThrow('DATABASE_URL must look like postgresql://user:password@host/database')
  expect(attempt).not.toThrow('pa55word')
})

test('a wrong sslmode is already refused by the configuration', () => {
  expect(() => readConfig({ DATABASE_URL: `${BASE}?sslmode=maybe` })).toThrow(
    'DATABASE_URL has an unknown sslmode',
  )
})
