import { randomUUID } from 'node:crypto'
import type { Account } from '../accounts/account.js'
import type { AccessTokenClaims, Principal } from '../core/access-token.js'
import type { RecordEvent, RequestContext } from '../core/auth-event.js'
import { type Clock, toNumericDate } from '../core/clock.js'
import { generateRefreshToken, hashRefreshToken } from '../core/refresh-token.js'
import type { HeldSession, IssuedTokens, SessionStore } from './session.js'

export interface SessionSettings {
  readonly issuer: string
  readonly accessTokenTtlSeconds: number
  /** Longest life of a session, however often it is refreshed. */
  readonly sessionTtlSeconds: number
  /** A session that is not refreshed for this long cannot be any more. */
  readonly sessionIdleTtlSeconds: number
  /** How long after a refresh the spent token gets the same new one again. */
  readonly refreshGraceSeconds: number
  /** A token is signed, not encrypted: whoever holds it can read the address (ASVS 14.1.1). */
  readonly emailInTokens: boolean
}

export interface SessionDependencies {
  readonly sessions: SessionStore
  readonly settings: SessionSettings
  /** Signs an access token with whichever key's turn it is, and for its audience. */
  readonly signToken: (claims: Omit<AccessTokenClaims, 'aud'>) => string
  readonly clock: Clock
}

export interface OpenDependencies extends SessionDependencies {
  readonly recordEvent: RecordEvent
  /** Resolves once this node refuses every session that has ended in the database. */
  readonly catchUp: () => Promise<void>
}

/**
 * Whom the access token that came with a request speaks for; null when none came, or none that is good. Asked for once
 * the password was right: until then a request is the same with and without one (ASVS 6.3.8).
 */
export type ReadHolder = () => Principal | null

/**
 * The only door in: opens a session for an account whose password has just been verified or set. Each has an id of its
 * own, and the one that the client has held so far, of whichever account, ends with it (ASVS 7.2.4): whoever holds its
 * token could log out as well. Null, and nothing has ended, when the account changed since, so that a log-in which races
 * a change of password or a disabling does not win.
 */
export async function startSession(
  dependencies: OpenDependencies,
  account: Account,
  verifiedHash: string,
  readHolder: ReadHolder,
  context: RequestContext,
): Promise<IssuedTokens | null> {
  const { sessions, settings, clock } = dependencies
  const id = randomUUID()
  const refreshToken = generateRefreshToken()
  const now = new Date(clock())
  const expiresAt = after(now, settings.sessionTtlSeconds)
  const accessExpiresAt = after(now, Math.min(settings.accessTokenTtlSeconds, settings.sessionTtlSeconds))
  // What can fail comes first: it must not cost the client the session that it holds.
  const tokens = issueTokens(dependencies, { sessionId: id, account, accessExpiresAt, refreshToken })
  const replaces = toHeldSession(readHolder())
  const opened = await sessions.open({
    id,
    userId: account.id,
    verifiedHash,
    refreshHash: hashRefreshToken(refreshToken),
    address: context.address,
    userAgent: context.userAgent,
    now,
    idleExpiresAt: after(now, settings.sessionIdleTtlSeconds),
    expiresAt,
    accessExpiresAt,
    replaces,
  })
  if (!opened) return null
  if (replaces !== null) await announceEnd(dependencies, replaces, context)
  return tokens
}

/** A legacy token has no session. */
function toHeldSession(holder: Principal | null): HeldSession | null {
  return holder === null || holder.sessionId === null ? null : { id: holder.sessionId, userId: holder.id }
}

async function announceEnd(
  { recordEvent, catchUp }: OpenDependencies,
  { id, userId }: HeldSession,
  context: RequestContext,
): Promise<void> {
  recordEvent('logout', context, { userId, sessionId: id, reason: 'replaced' })
  // It has ended, and this node will hear of it: a log-in that has succeeded must not fail because that takes a while.
  await catchUp().catch(() => {})
}

export interface Issue {
  readonly sessionId: string
  readonly account: Account
  readonly accessExpiresAt: Date
  readonly refreshToken: string
}

/** Signs the access token that goes with a refresh token. */
export function issueTokens({ settings, signToken, clock }: SessionDependencies, issue: Issue): IssuedTokens {
  const { sessionId, account, refreshToken } = issue
  const issuedAt = toNumericDate(clock())
  const expiresAt = toNumericDate(issue.accessExpiresAt.getTime())
  const accessToken = signToken({
    sub: account.id,
    ...(settings.emailInTokens && { email: account.email }),
    iat: issuedAt,
    exp: expiresAt,
    jti: randomUUID(),
    sid: sessionId,
    iss: settings.issuer,
  })
  return { sessionId, accessToken, expiresInSeconds: expiresAt - issuedAt, refreshToken, account }
}

export const after = (time: Date, seconds: number): Date => new Date(time.getTime() + seconds * 1000)
