import { parseProxyTrust } from './core/client-address.js'
import { TOKEN_ALGORITHMS } from './core/signing-key.js'
import { TOKEN_TYPES } from './core/token-header.js'
import { PASSWORD_POLICIES } from './passwords/password-policy.js'
import { integer, oneOf, onOff, perMinute, secret, setting, text } from './setting-kinds.js'
import {
  linesOf,
  parseAudience,
  parseBannedWords,
  parseDatabaseUrl,
  parseFeedToken,
  parseIssuer,
  parseKeyFiles,
  parseOrigins,
  parseTokenSecret,
} from './setting-values.js'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

/** Every setting Keyward reads, in the order in which people need them. */
export const SETTINGS = {
  NODE_ENV: oneOf(
    ['development', 'test', 'production'],
    'development',
    '`production` demands a secret and a database, and prints JSON only.',
  ),
  HOST: text('127.0.0.1', 'an address or host name', 'Address to listen on; `0.0.0.0` for all.'),
  PORT: integer(8000, 0, 65_535, 'Port to listen on; 0 takes a free one.'),
  DATABASE_URL: secret(
    {
      default: null,
      expected: 'a PostgreSQL URL: postgresql://user:password@host/database',
      description:
        'PostgreSQL to use. Without it, the embedded one under `DATA_DIR`. `sslmode=require` verifies.',
    },
    parseDatabaseUrl,
  ),
  EMBEDDED: onOff('off', 'In production: allow the embedded PostgreSQL when there is no `DATABASE_URL`.'),
  DATA_DIR: text('./data', 'a folder', 'Folder of the embedded PostgreSQL and of the generated secret.'),
  BETTER_AUTH_SECRET: secret(
    {
      default: null,
      expected: 'at least 32 bytes of random text; `npx keyward secret` prints one',
      description: 'Secret that signs HS256 tokens. Outside production one is generated in `DATA_DIR`.',
    },
    parseTokenSecret,
  ),
  BETTER_AUTH_SECRET_PREVIOUS: secret(
    {
      default: null,
      expected: 'secrets, one a line',
      description: 'Secrets that sign no more, but whose HS256 tokens are still accepted.',
    },
    (value) => linesOf(value).map(parseTokenSecret),
  ),
  JWT_ALGORITHM: oneOf(
    TOKEN_ALGORITHMS,
    'HS256',
    'Signature of access tokens; all but `HS256` take a key pair.',
  ),
  KEY_ENCRYPTION_SECRET: secret(
    {
      default: null,
      expected: 'at least 32 bytes of random text; `npx keyward secret` prints one',
      description: 'Secret that seals key pairs in the database. Every node with it accepts their tokens.',
    },
    parseTokenSecret,
  ),
  KEY_ENCRYPTION_SECRET_PREVIOUS: secret(
    {
      default: null,
      expected: 'secrets, one a line',
      description: 'Secrets that seal no more, but still open key pairs in the database.',
    },
    (value) => linesOf(value).map(parseTokenSecret),
  ),
  JWT_KEY_FILES: setting(
    {
      default: null,
      expected: 'PEM or JWK files, separated by commas',
      description: 'Key pairs in files instead of the database: the first one signs, all verify.',
    },
    parseKeyFiles,
  ),
  JWT_ISSUER: setting(
    { default: 'keyward', expected: 'at most 200 characters', description: '`iss` of access tokens.' },
    parseIssuer,
  ),
  JWT_AUDIENCE: setting(
    {
      default: null,
      expected: 'names separated by commas, at most 500 bytes',
      description: '`aud` of access tokens. When set, a token for none of these is refused.',
    },
    parseAudience,
  ),
  JWT_EMAIL: onOff('on', 'Put the e-mail address into access tokens, where whoever holds one can read it.'),
  JWT_TYPE: oneOf(
    TOKEN_TYPES,
    'JWT',
    '`typ` of access tokens. `at+jwt` (RFC 9068) is demanded of every token then.',
  ),
  ACCESS_TOKEN_TTL: integer(604_800, 1, 31_536_000, 'Life of an access token in seconds; 604800 is 7 days.'),
  SESSION_TTL: integer(
    2_592_000,
    60,
    315_360_000,
    'Longest life of a session in seconds, however often refreshed.',
  ),
  SESSION_IDLE_TTL: integer(
    1_209_600,
    60,
    315_360_000,
    'A session not refreshed for so many seconds has expired.',
  ),
  REFRESH_GRACE: integer(
    10,
    0,
    300,
    'Seconds in which a spent refresh token, its reply lost, gets the same again.',
  ),
  PRIVILEGED_SESSION_MAX_AGE: integer(
    0,
    0,
    315_360_000,
    'Seconds after its log-in in which a session may end other sessions; 0: always.',
  ),
  REVOCATION_MAX_STALENESS: integer(
    10,
    1,
    3_600,
    'Seconds without news of ended sessions after which tokens are stale.',
  ),
  REVOCATION_STALE: oneOf(['refuse', 'accept'], 'refuse', 'What to do with a token then: 503, or accept it.'),
  REVOCATION_POLL_INTERVAL: integer(
    500,
    50,
    60_000,
    'Milliseconds between reads of the feed where no notification comes.',
  ),
  REVOCATION_FEED_TOKEN: secret(
    {
      default: null,
      expected:
        'tokens of at least 32 random letters and digits, one a line; `npx keyward secret` prints one',
      description: 'Bearer tokens with which other services follow ended sessions. Unset: nobody may.',
    },
    (value) => linesOf(value).map(parseFeedToken),
  ),
  DATABASE_DIRECT_URL: secret(
    {
      default: null,
      expected: 'a PostgreSQL URL without a pooler in between',
      description: 'For notifications, where `DATABASE_URL` goes through a transaction pooler.',
    },
    parseDatabaseUrl,
  ),
  ACCEPT_LEGACY_TOKENS: onOff(
    'off',
    'Accept tokens without `sid`, as another stack with the same secret makes them.',
  ),
  PASSWORD_POLICY: oneOf(
    PASSWORD_POLICIES,
    'composition',
    '`composition`: 8 characters, a digit, a special character. `nist`: 15 characters.',
  ),
  PASSWORD_BANNED_WORDS: setting(
    {
      default: 'keyward',
      expected: 'words of at least 4 characters, separated by commas',
      description: 'Words that no new password may contain, such as the names of your service and company.',
    },
    parseBannedWords,
  ),
  GENERATED_PASSWORD_TTL: integer(
    86_400,
    60,
    604_800,
    'Seconds in which the owner of a generated password has to change it; 86400 is a day.',
  ),
  PASSWORD_HASH: oneOf(['bcrypt', 'argon2id'], 'bcrypt', 'Scheme for new hashes; all known ones verify.'),
  BCRYPT_COST: integer(12, 4, 20, 'log2 of bcrypt’s rounds; at least 10, except under `NODE_ENV=test`.'),
  HASH_THREADS: integer(
    0,
    0,
    64,
    'Passwords hashed at the same time; 0, and at most: one per core that the process sees.',
  ),
  HASH_MAX_WAIT: integer(
    2_000,
    100,
    60_000,
    'Milliseconds a password may expect to wait for its hash; else 503 at once. There is room for 16 in any case.',
  ),
  CORS_ORIGINS: setting(
    {
      default: null,
      expected: 'origins such as https://app.example.com, separated by commas',
      description:
        'Browser origins that may call the API. Unset: `http://localhost:3000`; in production none.',
    },
    parseOrigins,
  ),
  TRUST_PROXY: setting(
    {
      default: 'off',
      expected: 'off, a number of proxies, or addresses such as 10.0.0.1,10.1.0.0/16',
      description: 'Proxies in front whose `X-Forwarded-For` names the client.',
    },
    parseProxyTrust,
  ),
  HSTS: onOff('off', 'Tell browsers to use TLS alone. For servers behind a proxy that ends TLS.'),
  RATE_LIMIT: onOff('on', 'Limit attempts at passwords, and requests (docs/limits.md).'),
  RATE_LIMIT_REQUESTS: perMinute(6_000, 'Requests a minute from one client.'),
  RATE_LIMIT_REGISTRATIONS: perMinute(60, 'Of these, registrations.'),
  RATE_LIMIT_REFRESHES: perMinute(600, 'Of these, exchanges of refresh tokens.'),
  DOCS: onOff('on', 'Serve `/docs` and `/openapi.json`.'),
  LOG_LEVEL: oneOf(LOG_LEVELS, 'info', 'Least severe log lines to write.'),
} as const

export type SettingName = keyof typeof SETTINGS
