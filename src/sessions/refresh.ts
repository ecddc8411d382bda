import type { RecordEvent, RequestContext } from '../core/auth-event.js'
import {
  generateRefreshToken,
  hashRefreshToken,
  isRefreshTokenForm,
  openChild,
  sealChild,
} from '../core/refresh-token.js'
import { Refusal } from '../errors.js'
import type { IssuedTokens } from './session.js'
import { after, issueTokens, type SessionDependencies } from './start-session.js'

export interface RefreshDependencies extends SessionDependencies {
  readonly recordEvent: RecordEvent
  /** Takes down that a session is in use. Not the moment itself: it would tell a thief when to come. */
  readonly noteActivity: (sessionId: string) => void
  /** Resolves once this node refuses every session that has ended in the database. */
  readonly catchUp: () => Promise<void>
}

/**
 * Exchanges a refresh token for a new pair; the presented one is spent (RFC 9700 §4.14.2). The parent of the current
 * token gets that same token again for a short while, because its reply may have been lost. Any other spent token
 * means that a copy is in foreign hands: the whole session ends. Refusal: `invalid_refresh_token`, for every reason.
 */
export async function refresh(
  dependencies: RefreshDependencies,
  presented: string,
  context: RequestContext,
): Promise<IssuedTokens> {
  const { sessions, settings, clock, recordEvent } = dependencies
  if (!isRefreshTokenForm(presented)) throw new Refusal('invalid_refresh_token')
  const next = generateRefreshToken()
  const now = new Date(clock())
  const result = await sessions.rotate({
    presentedHash: hashRefreshToken(presented),
    nextHash: hashRefreshToken(next),
    sealedNext: sealChild(presented, next),
    now,
    idleExpiresAt: after(now, settings.sessionIdleTtlSeconds),
    accessExpiresAt: after(now, settings.accessTokenTtlSeconds),
    repeatableSince: after(now, -settings.refreshGraceSeconds),
  })
  if (result.outcome === 'gone') throw new Refusal('invalid_refresh_token')
  if (result.outcome === 'reused') {
    const { userId, sessionId } = result
    recordEvent('refresh_token_reused', context, { userId, sessionId })
    await dependencies.catchUp()
    throw new Refusal('invalid_refresh_token')
  }
  const { sessionId, account, accessExpiresAt } = result
  const isRotated = result.outcome === 'rotated'
  recordEvent(isRotated ? 'session_refreshed' : 'refresh_repeated', context, {
    userId: account.id,
    sessionId,
  })
  dependencies.noteActivity(sessionId)
  const refreshToken = isRotated ? next : openChild(presented, result.sealedCurrent)
  return issueTokens(dependencies, { sessionId, account, accessExpiresAt, refreshToken })
}
