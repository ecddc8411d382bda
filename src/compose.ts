import { availableParallelism } from 'node:os'
import type { FastifyInstance } from 'fastify'
import { readProfile, updateProfile } from './accounts/profile.js'
import { register } from './accounts/register.js'
import { createAccountStore } from './accounts/sql.js'
import type { Config } from './config.js'
import { createTokenKey } from './core/access-token.js'
import type { Account } from './accounts/account.js'
import { type Clock, systemClock } from './core/clock.js'
import type { Database } from './db/database.js'
import { createGuard } from './guard/guard.js'
import { buildApp } from './http/app.js'
import { createEventRecorder, type Log } from './log.js'
import { boundEngine } from './passwords/bounded-engine.js'
import { readCommonPasswords } from './passwords/common-passwords.js'
import { type HashEngine, nativeHashEngine } from './passwords/hash-engine.js'
import { createPasswordHasher } from './passwords/password-hasher.js'
import { createPasswordPolicy } from './passwords/password-policy.js'
import { login } from './sessions/login.js'
import { logout } from './sessions/logout.js'
import { startSession } from './sessions/start-session.js'

export interface Parts {
  readonly config: Config
  /** `config.tokenSecret`, or the generated one. */
  readonly tokenSecret: string
  readonly database: Database
  readonly log: Log
  readonly clock?: Clock
  readonly hashEngine?: HashEngine
}

// libuv has four threads; one stays free of hashing.
const MAX_HASHES_IN_FLIGHT = Math.min(availableParallelism(), 3)
const MAX_HASHES_WAITING = 128

/** The one place that knows how the parts fit together. */
export async function compose(parts: Parts): Promise<FastifyInstance> {
  const { config, tokenSecret, database, log, clock = systemClock, hashEngine = nativeHashEngine } = parts
  const { issuer, accessTokenTtlSeconds, acceptLegacyTokens } = config
  const recordEvent = createEventRecorder(log)
  const accounts = createAccountStore(database)
  const hasher = createPasswordHasher(
    boundEngine(hashEngine, { inFlight: MAX_HASHES_IN_FLIGHT, waiting: MAX_HASHES_WAITING }),
    { scheme: config.passwordHash, bcryptCost: config.bcryptCost },
  )
  const passwordPolicy = createPasswordPolicy(
    config.passwordPolicy,
    readCommonPasswords(config.passwordPolicy),
  )
  const tokenKey = createTokenKey(tokenSecret)
  const openSession = (account: Account) =>
    startSession({ tokenKey, issuer, accessTokenTtlSeconds, clock }, account)

  return buildApp({
    api: {
      register: async (registration, context) =>
        openSession(
          await register({ accounts, hasher, passwordPolicy, clock, recordEvent }, registration, context),
        ),
      login: (credentials, context) =>
        login(
          { credentials: accounts, hasher, startSession: openSession, recordEvent },
          credentials,
          context,
        ),
      logout: (principal, context) => logout(recordEvent, principal, context),
      readProfile: (principal) => readProfile(accounts, principal),
      updateProfile: (principal, change, context) =>
        updateProfile({ accounts, clock, recordEvent }, principal, change, context),
      checkReady: async () => {
        await database.query('select 1')
      },
    },
    guard: createGuard({ secret: tokenSecret, issuer, acceptLegacyTokens, clock }),
    log,
    corsOrigins: config.corsOrigins,
    docs: config.docs,
  })
}
