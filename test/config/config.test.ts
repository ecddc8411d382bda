import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { type Config, readConfig } from '../../src/config.js'
import { DATABASE_URL, problemsOf, PRODUCTION, SECRET } from './problems-of.js'

const FEED_TOKEN = 'Qm4rTs9WbYc3DfGh6KjEaJ8vXk2pQz7L'
const ENCRYPTION_SECRET = 'tB6yWq1ZsXn8RmVc4LdKf7PjHg2UeAo9'
const DIRECT_URL = 'postgresql://ada@direct.example.com/keyward'

test('nothing needs to be set to try it', () => {
  expect(readConfig({})).toEqual({
    isProduction: false,
    host: '127.0.0.1',
    port: 8000,
    databaseUrl: null,
    dataDir: resolve('data'),
    tokenSecret: null,
    previousTokenSecrets: [],
    tokenAlgorithm: 'HS256',
    keyEncryptionSecret: null,
    previousKeyEncryptionSecrets: [],
    keyFiles: [],
    issuer: 'keyward',
    audiences: [],
    tokenType: 'JWT',
    emailInTokens: true,
    listenUrl: null,
    accessTokenTtlSeconds: 7 * 24 * 60 * 60,
    sessionTtlSeconds: 30 * 24 * 60 * 60,
    sessionIdleTtlSeconds: 14 * 24 * 60 * 60,
    refreshGraceSeconds: 10,
    privilegedSessionMaxAgeSeconds: 0,
    revocation: { maxAgeMs: 10_000, whenStale: 'refuse', pollIntervalMs: 500, feedTokens: [] },
    acceptLegacyTokens: false,
    passwordPolicy: 'composition',
    bannedWords: ['keyward'],
    generatedPasswordTtlSeconds: 86_400,
    passwordHash: 'bcrypt',
    bcryptCost: 12,
    hashThreads: 0,
    hashMaxWaitMs: 2_000,
    corsOrigins: ['http://localhost:3000'],
    trustProxy: 0,
    hsts: false,
    rateLimit: true,
    requestLimits: { requests: 6_000, registrations: 60, refreshes: 600 },
    docs: true,
    logLevel: 'info',
  } satisfies Config)
})

test('everything can be set', () => {
  const environment = {
    ...PRODUCTION,
    HOST: '0.0.0.0',
    PORT: '0',
    DATA_DIR: '/srv/keyward',
    JWT_ALGORITHM: 'HS256',
    JWT_ISSUER: 'my-app',
    JWT_AUDIENCE: 'api, admin',
    JWT_TYPE: 'JWT',
    JWT_EMAIL: 'off',
    BETTER_AUTH_SECRET_PREVIOUS: `${FEED_TOKEN.toLowerCase()}\n${SECRET} two\r\n`,
    KEY_ENCRYPTION_SECRET: ENCRYPTION_SECRET,
    KEY_ENCRYPTION_SECRET_PREVIOUS: `${ENCRYPTION_SECRET.toLowerCase()}\n${ENCRYPTION_SECRET} two\n`,
    ACCESS_TOKEN_TTL: '3600',
    SESSION_TTL: '7200',
    SESSION_IDLE_TTL: '5400',
    REFRESH_GRACE: '0',
    PRIVILEGED_SESSION_MAX_AGE: '900',
    REVOCATION_MAX_STALENESS: '5',
    REVOCATION_STALE: 'accept',
    REVOCATION_POLL_INTERVAL: '250',
    REVOCATION_FEED_TOKEN: `${FEED_TOKEN}\r\n${FEED_TOKEN}2\n`,
    DATABASE_DIRECT_URL: DIRECT_URL,
    ACCEPT_LEGACY_TOKENS: 'on',
    PASSWORD_POLICY: 'nist',
    PASSWORD_BANNED_WORDS: 'Acme, Rocket Skates',
    GENERATED_PASSWORD_TTL: '3600',
    PASSWORD_HASH: 'argon2id',
    BCRYPT_COST: '13',
    HASH_THREADS: '3',
    HASH_MAX_WAIT: '1500',
    CORS_ORIGINS: 'https://app.example.com',
    TRUST_PROXY: '10.0.0.1, 2001:db8::/48',
    HSTS: 'on',
    RATE_LIMIT: 'off',
    RATE_LIMIT_REQUESTS: '1000',
    RATE_LIMIT_REGISTRATIONS: '1',
    RATE_LIMIT_REFRESHES: '20',
    DOCS: 'off',
    LOG_LEVEL: 'debug',
  }
  expect(readConfig(environment)).toEqual({
    isProduction: true,
    host: '0.0.0.0',
    port: 0,
    databaseUrl: DATABASE_URL,
    dataDir: '/srv/keyward',
    tokenSecret: SECRET,
    previousTokenSecrets: [FEED_TOKEN.toLowerCase(), `${SECRET} two`],
    tokenAlgorithm: 'HS256',
    keyEncryptionSecret: ENCRYPTION_SECRET,
    previousKeyEncryptionSecrets: [ENCRYPTION_SECRET.toLowerCase(), `${ENCRYPTION_SECRET} two`],
    keyFiles: [],
    issuer: 'my-app',
    audiences: ['api', 'admin'],
    tokenType: 'JWT',
    emailInTokens: false,
    listenUrl: DIRECT_URL,
    accessTokenTtlSeconds: 3600,
    sessionTtlSeconds: 7200,
    sessionIdleTtlSeconds: 5400,
    refreshGraceSeconds: 0,
    privilegedSessionMaxAgeSeconds: 900,
    revocation: {
      maxAgeMs: 5_000,
      whenStale: 'accept',
      pollIntervalMs: 250,
      feedTokens: [FEED_TOKEN, `${FEED_TOKEN}2`],
    },
    acceptLegacyTokens: true,
    passwordPolicy: 'nist',
    bannedWords: ['acme', 'rocket skates'],
    generatedPasswordTtlSeconds: 3_600,
    passwordHash: 'argon2id',
    bcryptCost: 13,
    hashThreads: 3,
    hashMaxWaitMs: 1_500,
    corsOrigins: ['https://app.example.com'],
    trustProxy: ['10.0.0.1/32', '2001:db8::/48'],
    hsts: true,
    rateLimit: false,
    requestLimits: { requests: 1_000, registrations: 1, refreshes: 20 },
    docs: false,
    logLevel: 'debug',
  } satisfies Config)
})

test('an empty variable counts as unset', () => {
  const names = ['HOST', 'PORT', 'DATABASE_URL', 'BETTER_AUTH_SECRET', 'CORS_ORIGINS', 'DOCS', 'BCRYPT_COST']
  expect(readConfig(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(readConfig({}))
  expect(readConfig({ BETTER_AUTH_SECRET: SECRET, BETTER_AUTH_SECRET_FILE: '' }).tokenSecret).toBe(SECRET)
})

test('notifications come over the one database URL there is, and never without a server', () => {
  expect(readConfig({ DATABASE_URL }).listenUrl).toBe(DATABASE_URL)
  expect(readConfig({}).listenUrl).toBeNull()
})

test.each([
  [{ ACCESS_TOKEN_TTL: '61', SESSION_TTL: '60' }, 'ACCESS_TOKEN_TTL must not be longer than SESSION_TTL'],
  [{ REVOCATION_FEED_TOKEN: SECRET, BETTER_AUTH_SECRET: SECRET }, 'must not be the BETTER_AUTH_SECRET'],
  [{ REVOCATION_FEED_TOKEN: `${FEED_TOKEN}!` }, 'REVOCATION_FEED_TOKEN may hold letters, digits'],
  [{ REVOCATION_FEED_TOKEN: `${FEED_TOKEN}\nshort` }, 'REVOCATION_FEED_TOKEN must have at least 32 bytes'],
  [
    { REVOCATION_FEED_TOKEN: `${FEED_TOKEN}\n${SECRET}`, BETTER_AUTH_SECRET: SECRET },
    'must not be the BETTER_AUTH_SECRET',
  ],
  [
    { KEY_ENCRYPTION_SECRET: SECRET, REVOCATION_FEED_TOKEN: `${FEED_TOKEN}\n${SECRET}` },
    'must be a secret of its own',
  ],
  [
    { REVOCATION_FEED_TOKEN: SECRET, BETTER_AUTH_SECRET_PREVIOUS: SECRET },
    'must not be the BETTER_AUTH_SECRET',
  ],
  [
    { JWT_ALGORITHM: 'EdDSA', BETTER_AUTH_SECRET: SECRET },
    'BETTER_AUTH_SECRET signs nothing with JWT_ALGORITHM=EdDSA: move it to BETTER_AUTH_SECRET_PREVIOUS',
  ],
  [
    { KEY_ENCRYPTION_SECRET: SECRET, BETTER_AUTH_SECRET: SECRET },
    'KEY_ENCRYPTION_SECRET must be a secret of its own',
  ],
  [{ KEY_ENCRYPTION_SECRET: SECRET, BETTER_AUTH_SECRET_PREVIOUS: SECRET }, 'must be a secret of its own'],
  [{ KEY_ENCRYPTION_SECRET: FEED_TOKEN, REVOCATION_FEED_TOKEN: FEED_TOKEN }, 'must be a secret of its own'],
  [{ KEY_ENCRYPTION_SECRET: SECRET, JWT_KEY_FILES: 'key.pem' }, 'are both set; keep one'],
  [
    { KEY_ENCRYPTION_SECRET: FEED_TOKEN, KEY_ENCRYPTION_SECRET_PREVIOUS: SECRET, BETTER_AUTH_SECRET: SECRET },
    'must be a secret of its own',
  ],
  [
    { KEY_ENCRYPTION_SECRET_PREVIOUS: SECRET },
    'KEY_ENCRYPTION_SECRET_PREVIOUS needs a KEY_ENCRYPTION_SECRET beside it',
  ],
  [
    { JWT_TYPE: 'at+jwt', ACCEPT_LEGACY_TOKENS: 'on' },
    'ACCEPT_LEGACY_TOKENS has no effect with JWT_TYPE=at+jwt',
  ],
  [{ DATABASE_DIRECT_URL: DIRECT_URL }, 'DATABASE_DIRECT_URL needs a DATABASE_URL beside it'],
  [{ REVOCATION_POLL_INTERVAL: '1000', REVOCATION_MAX_STALENESS: '1' }, 'REVOCATION_POLL_INTERVAL'],
])('settings that contradict each other are refused: %o', (environment, words) => {
  expect(() => readConfig(environment)).toThrow(words)
})

test('the configuration cannot be changed afterwards', () => {
  const config = readConfig({}) as { port: number }
  expect(() => {
    config.port = 1
  }).toThrow(TypeError)
})

test.each([
  ['NODE_ENV', 'staging', 'must be development or test or production'],
  ['NODE_ENV', 'Production', 'must be development or test or production'],
  ['PORT', '65536', 'must be a whole number from 0 to 65535'],
  ['PORT', '-1', 'must be a whole number from 0 to 65535'],
  ['PORT', '80a', 'must be a whole number from 0 to 65535'],
  ['PORT', '8e3', 'must be a whole number from 0 to 65535'],
  ['PORT', ' 80', 'must be a whole number from 0 to 65535'],
  ['EMBEDDED', 'true', 'must be on or off'],
  ['JWT_ALGORITHM', 'none', 'must be HS256 or EdDSA or ES256 or RS256'],
  ['JWT_ALGORITHM', 'eddsa', 'must be HS256 or EdDSA or ES256 or RS256'],
  ['JWT_TYPE', 'at', 'must be JWT or at+jwt'],
  ['JWT_AUDIENCE', 'api,,admin', 'must not hold an empty audience'],
  ['JWT_AUDIENCE', 'é'.repeat(251), 'must have at most 500 bytes'],
  ['JWT_KEY_FILES', 'key.pem,', 'must not hold an empty file'],
  ['JWT_KEY_FILES', '-----BEGIN PRIVATE KEY-----\nMC4=', 'must name files, not hold a key'],
  ['JWT_KEY_FILES', '{"kty":"OKP","d":"x"}', 'must name files, not hold a key'],
  ['KEY_ENCRYPTION_SECRET', 'short', 'must have at least 32 bytes'],
  ['KEY_ENCRYPTION_SECRET_PREVIOUS', `${SECRET}\nshort`, 'must have at least 32 bytes'],
  ['BETTER_AUTH_SECRET_PREVIOUS', `${SECRET}\nshort`, 'must have at least 32 bytes'],
  ['ACCESS_TOKEN_TTL', '0', 'must be a whole number from 1 to 31536000'],
  ['ACCESS_TOKEN_TTL', '1.5', 'must be a whole number from 1 to 31536000'],
  ['ACCESS_TOKEN_TTL', '31536001', 'must be a whole number from 1 to 31536000'],
  ['ACCEPT_LEGACY_TOKENS', '1', 'must be on or off'],
  ['PASSWORD_POLICY', 'none', 'must be composition or nist'],
  ['PASSWORD_BANNED_WORDS', 'acme,abc', 'must hold words of at least 4 characters; "abc" has fewer'],
  ['PASSWORD_BANNED_WORDS', 'acme,', 'must not hold an empty word'],
  ['GENERATED_PASSWORD_TTL', '604801', 'must be a whole number from 60 to 604800'],
  ['PASSWORD_HASH', 'md5', 'must be bcrypt or argon2id'],
  ['BCRYPT_COST', '3', 'must be a whole number from 4 to 20'],
  ['BCRYPT_COST', '21', 'must be a whole number from 4 to 20'],
  ['RATE_LIMIT', 'yes', 'must be on or off'],
  ['DOCS', 'ON', 'must be on or off'],
  ['LOG_LEVEL', 'trace', 'must be debug or info or warn or error or silent'],
])('%s=%s is refused by name', (name, value, problem) => {
  expect(problemsOf({ [name]: value })).toEqual([`${name} ${problem}`])
})

test('every mistake is told at once, one per line', () => {
  const broken = { PORT: 'x', DOCS: 'x', BETTER_AUTH_SECRET: 'x', DATABASE_URL: 'x', CORS_ORIGINS: 'x' }
  expect(problemsOf(broken).map((problem) => problem.split(' ')[0])).toEqual([
    'PORT',
    'DATABASE_URL',
    'BETTER_AUTH_SECRET',
    'CORS_ORIGINS',
    'DOCS',
  ])
  expect(() => readConfig(broken)).toThrow(/^The configuration is not valid:\n(  - [A-Z_]+ .+\n?){5}$/)
})

test('no mistake repeats a secret', () => {
  const problems = problemsOf({
    NODE_ENV: 'production',
    BETTER_AUTH_SECRET: 'tell-nobody',
    DATABASE_URL: 'mysql://keyward:db-pa55word@db.example/keyward',
    PORT: 'x',
  })
  expect(problems).toHaveLength(3)
  expect(problems.join()).not.toMatch(/tell-nobody|pa55word/)
})

test('a generated secret is accepted', () => {
  for (const encoding of ['base64url', 'base64', 'hex'] as const) {
    const secret = randomBytes(32).toString(encoding)
    expect(readConfig({ BETTER_AUTH_SECRET: secret }).tokenSecret).toBe(secret)
  }
})
