import type { FastifyInstance } from 'fastify'
import type { Account } from './accounts/account.js'
import { readProfile, updateProfile } from './accounts/profile.js'
import { register } from './accounts/register.js'
import { createAccountStore } from './accounts/sql.js'
import { createThrottledPasswords } from './attempts/throttled-passwords.js'
import { createBackground, PURGE_INTERVAL_MS } from './background.js'
import { composeAttempts, type NodeAttempts } from './compose-attempts.js'
import { composeKeyOperator, composeKeys, type NodeKeys } from './compose-keys.js'
import { composeUserOperator } from './compose-users.js'
import { composeKindCoverage, composePasswordQueue, composePasswords } from './compose-passwords.js'
import type { Config } from './config.js'
import type { RequestContext } from './core/auth-event.js'
import { type Clock, systemClock } from './core/clock.js'
import { createRevocationCheck } from './core/revocation-check.js'
import { createRevocationLog } from './core/revocation-log.js'
import { createSingleFlight } from './core/single-flight.js'
import type { Database } from './db/database.js'
import { listen } from './db/listen.js'
import { Refusal } from './errors.js'
import { createGuardOn } from './guard/guard.js'
import type { Api } from './http/api.js'
import { buildApp } from './http/app.js'
import { KEY_CHANNEL } from './keys/sql.js'
import { createEventRecorder, createEventTally, createRefusedRequestTally, type Log } from './log.js'
import type { UserCommand, UserReport } from './operators/commands.js'
import type { KeyCommand, KeyReport } from './operators/key-commands.js'
import type { HashEngine } from './passwords/hash-engine.js'
import { createFeed, type Feed } from './revocation/feed.js'
import { purge } from './revocation/purge.js'
import { CHANNEL, createFeedStore } from './revocation/sql.js'
import { type Activity, createActivity } from './sessions/activity.js'
import { changePassword } from './sessions/change-password.js'
import { endSession, listSessions, logout, logoutAll } from './sessions/end-sessions.js'
import { login } from './sessions/login.js'
import { refresh } from './sessions/refresh.js'
import { createSessionStore } from './sessions/sql.js'
import { type ReadHolder, startSession } from './sessions/start-session.js'

export interface Parts {
  readonly config: Config
  /** For what `needsGeneratedSecret` says; else null. */
  readonly generatedSecret: string | null
  readonly database: Database
  readonly log: Log
  readonly clock?: Clock
  /** Milliseconds that only ever grow, for what is measured; default the process's. */
  readonly monotonicMs?: () => number
  readonly hashEngine: HashEngine
}

const ACTIVITY_INTERVAL_MS = 60_000
const HASH_KINDS_INTERVAL_MS = 60_000

export interface Composed {
  /** What runs beside requests starts and stops with it. */
  readonly app: FastifyInstance
  /** Carries out an operator's command; when it resolves, this node knows of every session that it ended. */
  readonly runUserCommand: (command: UserCommand) => Promise<UserReport>
  /** The same for keys: when it resolves, this node goes by the new ones. */
  readonly runKeyCommand: (command: KeyCommand) => Promise<KeyReport>
}

/** The one place that knows how the parts fit together. */
export async function compose(given: Parts): Promise<Composed> {
  const parts: Required<Parts> = { clock: systemClock, monotonicMs: () => performance.now(), ...given }
  const { config, generatedSecret, database, log, clock, monotonicMs, hashEngine } = parts
  const { issuer, acceptLegacyTokens, audiences, tokenType } = config
  const recordEvent = createEventRecorder(log)
  const keys = composeKeys({ config, generatedSecret, database, log, clock, monotonicMs })
  const attempts = composeAttempts({ config, generatedSecret, database, log, clock })
  const revocationLog = createRevocationLog()
  const feed = createFeed({
    store: createFeedStore(database),
    log: revocationLog,
    pollIntervalMs: config.revocation.pollIntervalMs,
    monotonicMs,
    onFailure: (error) => log.warn({ err: error }, 'the feed of ended sessions cannot be read'),
    onRecovery: () => log.info('the feed of ended sessions is read again'),
  })
  const accounts = createAccountStore(database)
  const passwords = composePasswords(config, hashEngine)
  const coverHashKinds = composeKindCoverage(passwords.hasher, accounts, log)
  const sessions = createSessionStore(database)
  const activity = createActivity(sessions, clock)
  const isEnded = createRevocationCheck(revocationLog, feed.ageMs, config.revocation)
  const app = await buildApp({
    api: composeApi(parts, { accounts, feed, activity, keys, attempts, ...passwords }),
    guard: createGuardOn(keys.source, {
      issuer,
      audience: audiences.length > 0 ? audiences : undefined,
      type: tokenType,
      acceptLegacyTokens,
      clock,
      revocations: (sessionId) => {
        activity.note(sessionId)
        return isEnded(sessionId)
      },
    }),
    log,
    corsOrigins: config.corsOrigins,
    docs: config.docs,
    trustProxy: config.trustProxy,
    hsts: config.hsts,
    requestLimits: config.rateLimit ? config.requestLimits : null,
    monotonicMs,
    onTokenRefused: createEventTally(recordEvent, 'token_refused'),
    onRequestRefused: createRefusedRequestTally(recordEvent, log),
    feedTokens: config.revocation.feedTokens,
  })

  const background = createBackground(
    [
      { name: 'write last seen', everyMs: ACTIVITY_INTERVAL_MS, run: activity.flush },
      { name: 'read kinds of hashes', everyMs: HASH_KINDS_INTERVAL_MS, run: coverHashKinds },
      ...keys.tasks,
      ...attempts.tasks,
      {
        name: 'purge',
        everyMs: PURGE_INTERVAL_MS,
        run: (stopping) => purge(database, config.sessionIdleTtlSeconds, stopping),
      },
    ],
    log,
  )
  const listener =
    config.listenUrl === null
      ? null
      : listen(config.listenUrl, [CHANNEL, KEY_CHANNEL], {
          onNotify: (channel) => (channel === CHANNEL ? feed.wake() : void keys.catchUp()),
          onFailure: (error) =>
            log.warn({ err: error }, 'no notifications of ended sessions; polling for them instead'),
          onRecovery: () => log.info('notifications of ended sessions arrive again'),
        })
  // Before the first request: a node that does not know what has ended must not judge a token.
  app.addHook('onReady', async () => {
    await feed.start()
    await keys.start()
    await coverHashKinds()
    background.start()
  })
  app.addHook('preClose', () => feed.release())
  app.addHook('onClose', async () => {
    // At once: with the database away, each of them waits for its own deadline.
    await Promise.all([listener?.stop(), feed.stop(), background.stop(), activity.flush().catch(() => {})])
  })
  const operateUsers = composeUserOperator(parts)
  const operateKeys = composeKeyOperator(parts)
  return {
    app,
    async runUserCommand(command) {
      const report = await operateUsers(command)
      await feed.catchUp()
      return report
    },
    async runKeyCommand(command) {
      const report = await operateKeys(command)
      await keys.catchUp()
      return report
    },
  }
}

/** What the rules share with what runs beside requests. */
interface RunningParts extends ReturnType<typeof composePasswords> {
  readonly accounts: ReturnType<typeof createAccountStore>
  readonly feed: Feed
  readonly activity: Activity
  readonly keys: NodeKeys
  readonly attempts: NodeAttempts
}

/** The rules, each with what it needs. */
function composeApi(
  { config, database, log, clock, monotonicMs }: Required<Parts>,
  { accounts, feed, activity, keys, attempts, passwordPolicy, hasher }: RunningParts,
): Api {
  const recordEvent = createEventRecorder(log)
  const sessions = createSessionStore(database)
  const queue = composePasswordQueue(config, hasher, monotonicMs, log)
  const passwords = createThrottledPasswords(queue, attempts.throttle)
  const { catchUp } = feed
  const issuing = { sessions, settings: config, signToken: keys.signToken, clock }
  const ending = { sessions, clock, recordEvent, catchUp }
  const endingOthers = { ...ending, settings: config }
  const opening = { ...issuing, recordEvent, catchUp }
  const openSessionFor =
    (readHolder: ReadHolder) => (account: Account, verifiedHash: string, context: RequestContext) =>
      startSession(opening, account, verifiedHash, readHolder, context)

  return {
    async register(registration, readHolder, context) {
      const registering = { accounts, passwords, passwordPolicy, clock, recordEvent }
      const { account, passwordHash } = await register(registering, registration, context)
      const session = await openSessionFor(readHolder)(account, passwordHash, context)
      // Disabled or changed in the moment after it was made.
      if (session === null) throw new Refusal('invalid_credentials')
      return session
    },
    login: (credentials, readHolder, context) =>
      login(
        { credentials: accounts, passwords, startSession: openSessionFor(readHolder), clock, recordEvent },
        credentials,
        context,
      ),
    refresh: (refreshToken, context) =>
      refresh({ ...issuing, recordEvent, catchUp, noteActivity: activity.note }, refreshToken, context),
    logout: (principal, context) => logout(ending, principal, context),
    logoutAll: (principal, keepCurrent, context) => logoutAll(endingOthers, principal, keepCurrent, context),
    listSessions: (principal) => listSessions(sessions, clock, principal),
    endSession: (principal, id, context) => endSession(endingOthers, principal, id, context),
    changePassword: (principal, change, context) =>
      changePassword(
        { ...ending, credentials: accounts, passwords, passwordPolicy },
        principal,
        change,
        context,
      ),
    readProfile: (principal) => readProfile(accounts, principal),
    updateProfile: (principal, change, context) =>
      updateProfile({ accounts, clock, recordEvent }, principal, change, context),
    readPublicKeys: keys.publicKeys,
    readRevocations: (after, waitSeconds) => feed.read(after, waitSeconds * 1000),
    // Its address is not limited, and whoever finds it may ask as often as they like.
    checkReady: createSingleFlight(async () => {
      await database.query('select 1')
      return feed.ageMs()
    }),
  }
}
