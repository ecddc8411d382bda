import { randomUUID } from 'node:crypto'
import type { Account } from '../accounts/account.js'
import type { AccessTokenClaims } from '../core/access-token.js'
import type { RequestContext } from '../core/auth-event.js'
import { type Clock, toNumericDate } from '../core/clock.js'
import { generateRefreshToken, hashRefreshToken } from '../core/refresh-token.js'
import type { IssuedTokens, SessionStore } from './session.js'

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

/**
 * The only door in: opens a session for an account whose password has just been verified or set. Each has an id of its
 * own (ASVS 7.2.4). Null when the account changed since, so that a log-in which races a change of password or a
 * disabling does not win.
 */
export async function startSession(
  dependencies: SessionDependencies,
  account: Account,
  verifiedHash: string,
  context: RequestContext,
): Promise<IssuedTokens | null> {
  const { sessions, settings, clock } = dependencies
  const id = randomUUID()
  const refreshToken = generateRefreshToken()
  const now = new Date(clock())
  const expiresAt = after(now, settings.sessionTtlSeconds)
  const accessExpiresAt = after(now, Math.min(settings.accessTokenTtlSeconds, settings.sessionTtlSeconds))
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
  })
  if (!opened) return null
  return issueTokens(dependencies, { sessionId: id, account, accessExpiresAt, refreshToken })
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
