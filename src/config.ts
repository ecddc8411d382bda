import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Setting } from './setting-kinds.js'
import { SETTINGS, type SettingName } from './settings.js'

type Values = { [Name in SettingName]: (typeof SETTINGS)[Name] extends Setting<infer Value> ? Value : never }
type OptionalName =
  | 'DATABASE_URL'
  | 'DATABASE_DIRECT_URL'
  | 'BETTER_AUTH_SECRET'
  | 'BETTER_AUTH_SECRET_PREVIOUS'
  | 'KEY_ENCRYPTION_SECRET'
  | 'KEY_ENCRYPTION_SECRET_PREVIOUS'
  | 'JWT_KEY_FILES'
  | 'JWT_AUDIENCE'
  | 'REVOCATION_FEED_TOKEN'
  | 'CORS_ORIGINS'
export type Environment = Readonly<Record<string, string | undefined>>

export interface Config {
  readonly isProduction: boolean
  readonly host: string
  readonly port: number
  /** Null for the embedded database under `dataDir`. */
  readonly databaseUrl: string | null
  /** For notifications; null for the embedded database. */
  readonly listenUrl: string | null
  readonly dataDir: string
  /** Null when one is to be generated under `dataDir`, or a key pair signs. */
  readonly tokenSecret: string | null
  /** Secrets that sign no more, but still verify. */
  readonly previousTokenSecrets: readonly string[]
  readonly tokenAlgorithm: Values['JWT_ALGORITHM']
  readonly keyEncryptionSecret: string | null
  /** Secrets that seal no more, but still open. */
  readonly previousKeyEncryptionSecrets: readonly string[]
  /** Empty when key pairs are in the database, if anywhere. */
  readonly keyFiles: readonly string[]
  readonly issuer: string
  readonly audiences: readonly string[]
  readonly tokenType: Values['JWT_TYPE']
  readonly emailInTokens: boolean
  readonly accessTokenTtlSeconds: number
  readonly sessionTtlSeconds: number
  readonly sessionIdleTtlSeconds: number
  readonly refreshGraceSeconds: number
  /** How long after its log-in a session may end others; 0 for always. */
  readonly privilegedSessionMaxAgeSeconds: number
  readonly revocation: {
    readonly maxAgeMs: number
    readonly whenStale: Values['REVOCATION_STALE']
    readonly pollIntervalMs: number
    /** With any of which other services may follow the feed. */
    readonly feedTokens: readonly string[]
  }
  readonly acceptLegacyTokens: boolean
  readonly passwordPolicy: Values['PASSWORD_POLICY']
  /** Lower-cased. */
  readonly bannedWords: readonly string[]
  readonly generatedPasswordTtlSeconds: number
  readonly passwordHash: Values['PASSWORD_HASH']
  readonly bcryptCost: number
  /** Passwords hashed at the same time; 0 for one per processor core. */
  readonly hashThreads: number
  readonly hashMaxWaitMs: number
  readonly corsOrigins: readonly string[]
  readonly trustProxy: Values['TRUST_PROXY']
  readonly hsts: boolean
  readonly rateLimit: boolean
  readonly requestLimits: {
    readonly requests: number
    readonly registrations: number
    readonly refreshes: number
  }
  readonly docs: boolean
  readonly logLevel: Values['LOG_LEVEL']
}

/** Every mistake in the configuration at once, one per line, without any secret's value. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The configuration is not valid:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
    this.name = 'ConfigError'
  }
}

/** The process's environment, with what `.env` in the working directory adds to it. */
export function loadEnvironment(): Environment {
  if (existsSync('.env')) process.loadEnvFile('.env')
  return process.env
}

/** What the configuration is for: a command that signs no tokens needs no secret for it. */
export type Purpose = 'server' | 'database'

/** Turns an environment into a validated, frozen configuration. Throws a `ConfigError`. */
export function readConfig(environment: Environment, purpose: Purpose = 'server'): Config {
  const problems: string[] = []
  const values = readValues(environment, problems)
  checkTogether(values, purpose, problems)
  if (problems.length > 0) throw new ConfigError(problems)
  const isProduction = values.NODE_ENV === 'production'
  return Object.freeze({
    isProduction,
    host: values.HOST,
    port: values.PORT,
    databaseUrl: values.DATABASE_URL ?? null,
    listenUrl: values.DATABASE_URL === undefined ? null : (values.DATABASE_DIRECT_URL ?? values.DATABASE_URL),
    dataDir: resolve(values.DATA_DIR),
    tokenSecret: values.BETTER_AUTH_SECRET ?? null,
    previousTokenSecrets: values.BETTER_AUTH_SECRET_PREVIOUS ?? [],
    tokenAlgorithm: values.JWT_ALGORITHM,
    keyEncryptionSecret: values.KEY_ENCRYPTION_SECRET ?? null,
    previousKeyEncryptionSecrets: values.KEY_ENCRYPTION_SECRET_PREVIOUS ?? [],
    keyFiles: values.JWT_KEY_FILES ?? [],
    issuer: values.JWT_ISSUER,
    audiences: values.JWT_AUDIENCE ?? [],
    tokenType: values.JWT_TYPE,
    emailInTokens: values.JWT_EMAIL,
    accessTokenTtlSeconds: values.ACCESS_TOKEN_TTL,
    sessionTtlSeconds: values.SESSION_TTL,
    sessionIdleTtlSeconds: values.SESSION_IDLE_TTL,
    refreshGraceSeconds: values.REFRESH_GRACE,
    privilegedSessionMaxAgeSeconds: values.PRIVILEGED_SESSION_MAX_AGE,
    revocation: Object.freeze({
      maxAgeMs: values.REVOCATION_MAX_STALENESS * 1000,
      whenStale: values.REVOCATION_STALE,
      pollIntervalMs: values.REVOCATION_POLL_INTERVAL,
      feedTokens: values.REVOCATION_FEED_TOKEN ?? [],
    }),
    acceptLegacyTokens: values.ACCEPT_LEGACY_TOKENS,
    passwordPolicy: values.PASSWORD_POLICY,
    bannedWords: values.PASSWORD_BANNED_WORDS,
    generatedPasswordTtlSeconds: values.GENERATED_PASSWORD_TTL,
    passwordHash: values.PASSWORD_HASH,
    bcryptCost: values.BCRYPT_COST,
    hashThreads: values.HASH_THREADS,
    hashMaxWaitMs: values.HASH_MAX_WAIT,
    corsOrigins: values.CORS_ORIGINS ?? (isProduction ? [] : ['http://localhost:3000']),
    trustProxy: values.TRUST_PROXY,
    hsts: values.HSTS,
    rateLimit: values.RATE_LIMIT,
    requestLimits: Object.freeze({
      requests: values.RATE_LIMIT_REQUESTS,
      registrations: values.RATE_LIMIT_REGISTRATIONS,
      refreshes: values.RATE_LIMIT_REFRESHES,
    }),
    docs: values.DOCS,
    logLevel: values.LOG_LEVEL,
  })
}

type ReadValues = Omit<Values, OptionalName> & Partial<Pick<Values, OptionalName>>

/** Invalid settings are reported in `problems` and stand in with their default, so that all are reported. */
function readValues(environment: Environment, problems: string[]): ReadValues {
  const values: Record<string, unknown> = {}
  for (const [name, setting] of Object.entries(SETTINGS) as [SettingName, Setting<unknown>][]) {
    try {
      const text = readText(environment, name, setting) ?? setting.default
      if (text !== null) values[name] = setting.parse(text)
    } catch (error) {
      problems.push(`${name} ${(error as Error).message}`)
      if (setting.default !== null) values[name] = setting.parse(setting.default)
    }
  }
  return values as ReadValues
}

/** An empty variable counts as unset: that is how compose files and CI systems pass "nothing". */
function readText(environment: Environment, name: string, setting: Setting<unknown>): string | null {
  const text = environment[name] || null
  const file = setting.isSecret ? environment[`${name}_FILE`] || null : null
  if (file === null) return text
  if (text !== null) throw new Error(`and ${name}_FILE are both set; keep one`)
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '') || null
  } catch {
    // Without its value: somebody may have put the secret itself there.
    throw new Error(`cannot be read: ${name}_FILE must name a readable file`)
  }
}

function checkTogether(values: ReadValues, purpose: Purpose, problems: string[]): void {
  const isGiven = (name: OptionalName): boolean => values[name] !== undefined
  const isMisread = (name: OptionalName): boolean =>
    problems.some((problem) => problem.startsWith(`${name} `))
  if (values.NODE_ENV !== 'test' && values.BCRYPT_COST < 10) {
    problems.push('BCRYPT_COST must be at least 10 (4 to 9 only under NODE_ENV=test)')
  }
  if (values.ACCESS_TOKEN_TTL > values.SESSION_TTL) {
    problems.push('ACCESS_TOKEN_TTL must not be longer than SESSION_TTL')
  }
  if (values.REVOCATION_POLL_INTERVAL >= values.REVOCATION_MAX_STALENESS * 1000) {
    problems.push(
      'REVOCATION_POLL_INTERVAL (milliseconds) must be shorter than REVOCATION_MAX_STALENESS (seconds)',
    )
  }
  if (isGiven('DATABASE_DIRECT_URL') && !isGiven('DATABASE_URL') && !isMisread('DATABASE_URL')) {
    problems.push('DATABASE_DIRECT_URL needs a DATABASE_URL beside it')
  }
  const encryption = 'KEY_ENCRYPTION_SECRET'
  if (isGiven(`${encryption}_PREVIOUS`) && !isGiven(encryption) && !isMisread(encryption)) {
    problems.push(`${encryption}_PREVIOUS needs a ${encryption} beside it`)
  }
  const secrets = new Set([values.BETTER_AUTH_SECRET, ...(values.BETTER_AUTH_SECRET_PREVIOUS ?? [])])
  if (values.REVOCATION_FEED_TOKEN?.some((token) => secrets.has(token))) {
    problems.push('REVOCATION_FEED_TOKEN must not be the BETTER_AUTH_SECRET')
  }
  checkKeys(values, purpose, problems)
  if (values.NODE_ENV !== 'production') return
  const secret = signingSecretOf(values)
  if (purpose === 'server' && secret !== null && !isGiven(secret) && !isMisread(secret)) {
    problems.push(`${secret} must be set in production: ${SETTINGS[secret].expected}`)
  }
  if (!isGiven('DATABASE_URL') && !isMisread('DATABASE_URL') && !values.EMBEDDED) {
    problems.push('DATABASE_URL must be set in production, or EMBEDDED=on to use the embedded database')
  }
}

/** The secret without which nothing can be signed; null when key files do it. */
function signingSecretOf(values: ReadValues): 'BETTER_AUTH_SECRET' | 'KEY_ENCRYPTION_SECRET' | null {
  if (values.JWT_ALGORITHM === 'HS256') return 'BETTER_AUTH_SECRET'
  return values.JWT_KEY_FILES === undefined ? 'KEY_ENCRYPTION_SECRET' : null
}

function checkKeys(values: ReadValues, purpose: Purpose, problems: string[]): void {
  const { BETTER_AUTH_SECRET: secret, KEY_ENCRYPTION_SECRET: encryptionSecret } = values
  // A command may well make a key pair for nodes that still sign with the secret.
  if (purpose === 'server' && values.JWT_ALGORITHM !== 'HS256' && secret !== undefined) {
    problems.push(
      `BETTER_AUTH_SECRET signs nothing with JWT_ALGORITHM=${values.JWT_ALGORITHM}: move it to ` +
        'BETTER_AUTH_SECRET_PREVIOUS for as long as its tokens are to be accepted, or remove it',
    )
  }
  if (encryptionSecret !== undefined && values.JWT_KEY_FILES !== undefined) {
    problems.push('KEY_ENCRYPTION_SECRET and JWT_KEY_FILES are both set; keep one')
  }
  const { BETTER_AUTH_SECRET_PREVIOUS: previous = [], REVOCATION_FEED_TOKEN: feedTokens = [] } = values
  // Others know those: a Python stack, other services.
  const shared = new Set([secret, ...previous, ...feedTokens])
  const sealing = [encryptionSecret, ...(values.KEY_ENCRYPTION_SECRET_PREVIOUS ?? [])]
  if (sealing.some((each) => each !== undefined && shared.has(each))) {
    problems.push('KEY_ENCRYPTION_SECRET must be a secret of its own')
  }
  if (values.JWT_TYPE === 'at+jwt' && values.ACCEPT_LEGACY_TOKENS) {
    problems.push('ACCEPT_LEGACY_TOKENS has no effect with JWT_TYPE=at+jwt; turn it off')
  }
}
