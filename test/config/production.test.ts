import { describe, expect, test } from 'vitest'
import { readConfig } from '../../src/config.js'
import { problemsOf, PRODUCTION } from './problems-of.js'

describe('the cost of bcrypt', () => {
  test.each(['development', 'production'])('is at least 10 under NODE_ENV=%s', (mode) => {
    expect(problemsOf({ ...PRODUCTION, NODE_ENV: mode, BCRYPT_COST: '9' })).toEqual([
      'BCRYPT_COST must be at least 10 (4 to 9 only under NODE_ENV=test)',
    ])
    expect(problemsOf({ ...PRODUCTION, NODE_ENV: mode, BCRYPT_COST: '10' })).toEqual([])
  })

  test('may be 4 in tests', () => {
    expect(readConfig({ NODE_ENV: 'test', BCRYPT_COST: '4' }).bcryptCost).toBe(4)
  })
})

describe('in production', () => {
  test('a secret and a database are demanded', () => {
    expect(problemsOf({ NODE_ENV: 'production' })).toEqual([
      expect.stringMatching(/^BETTER_AUTH_SECRET must be set in production: .*npx keyward secret/),
      'DATABASE_URL must be set in production, or EMBEDDED=on to use the embedded database',
    ])
  })

  test('the embedded database is used only when that is said', () => {
    const { DATABASE_URL: _, ...embedded } = PRODUCTION
    expect(problemsOf(embedded)).toHaveLength(1)
    expect(problemsOf({ ...embedded, EMBEDDED: 'off' })).toHaveLength(1)
    expect(readConfig({ ...embedded, EMBEDDED: 'on' }).databaseUrl).toBeNull()
  })

  test('a wrong value is not called missing as well', () => {
    expect(problemsOf({ NODE_ENV: 'production', BETTER_AUTH_SECRET: 'x', DATABASE_URL: 'x' })).toHaveLength(2)
  })
})

describe('browser origins', () => {
  test.each([
    ['https://app.example.com', ['https://app.example.com']],
    [' https://a.example , http://b.example:8080,', ['https://a.example', 'http://b.example:8080']],
    ['http://localhost:3000', ['http://localhost:3000']],
    ['https://xn--bcher-kva.example', ['https://xn--bcher-kva.example']],
  ])('%j is taken', (value, origins) => {
    expect(readConfig({ CORS_ORIGINS: value }).corsOrigins).toEqual(origins)
  })

  test.each([
    '*',
    'null',
    'https://*.example.com',
    'https://app.example.com/',
    'https://app.example.com/path',
    'https://app.example.com:443',
    'https://APP.example.com',
    'https://ada@app.example.com',
    'app.example.com',
    'ftp://app.example.com',
    'file:///',
  ])('%j is refused, even behind a right one', (origin) => {
    expect(problemsOf({ CORS_ORIGINS: `https://a.example,${origin}` })).toEqual([
      `CORS_ORIGINS must list exact origins such as https://app.example.com; "${origin}" is none`,
    ])
  })

  test('in production none is allowed unless it is named', () => {
    expect(readConfig(PRODUCTION).corsOrigins).toEqual([])
  })
})
