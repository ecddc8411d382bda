import type { Principal } from '../core/access-token.js'
import type { RecordEvent, RequestContext } from '../core/auth-event.js'
import type { Clock } from '../core/clock.js'
import { isUuid } from '../core/uuid.js'
import { Refusal } from '../errors.js'
import type { Session, SessionStore } from './session.js'

export interface EndDependencies {
  readonly sessions: SessionStore
  readonly clock: Clock
  readonly recordEvent: RecordEvent
  /** Resolves once this node refuses every session that has ended in the database. */
  readonly catchUp: () => Promise<void>
}

/**
 * Ends the caller's session. When it resolves, this node refuses the token, and every other node does so as soon as
 * it has read the feed. A legacy token has no session: its client can only discard it.
 */
export async function logout(
  { sessions, clock, recordEvent, catchUp }: EndDependencies,
  principal: Principal,
  context: RequestContext,
): Promise<void> {
  const { id: userId, sessionId } = principal
  if (sessionId !== null) {
    await sessions.end(userId, sessionId, 'logout', new Date(clock()))
    await catchUp()
  }
  recordEvent('logout', context, { userId, sessionId })
}

export interface EndOthersDependencies extends EndDependencies {
  readonly settings: {
    /** How long after its log-in a session may end others; 0 for always. */
    readonly privilegedSessionMaxAgeSeconds: number
  }
}

/** Ends all of the caller's sessions, or all but the current one. Refusal: `reauthentication_required`. */
export async function logoutAll(
  dependencies: EndOthersDependencies,
  principal: Principal,
  keepCurrent: boolean,
  context: RequestContext,
): Promise<void> {
  const { sessions, clock, recordEvent, catchUp } = dependencies
  const { id: userId, sessionId } = principal
  await requireRecentLogin(dependencies, principal, context)
  const count = await sessions.endAll(userId, keepCurrent ? sessionId : null, 'logout_all', new Date(clock()))
  await catchUp()
  recordEvent('sessions_ended', context, { userId, sessionId, count })
}

/**
 * Ends one of the caller's sessions. Refusals: `session_not_found`, also for somebody else's (ASVS 8.2.2), and
 * `reauthentication_required` for any but the current one.
 */
export async function endSession(
  dependencies: EndOthersDependencies,
  principal: Principal,
  id: string,
  context: RequestContext,
): Promise<void> {
  const { sessions, clock, recordEvent, catchUp } = dependencies
  const isOwn = id.toLowerCase() === principal.sessionId
  if (!isOwn) await requireRecentLogin(dependencies, principal, context)
  const ended = isUuid(id) && (await sessions.end(principal.id, id, 'ended_by_user', new Date(clock())))
  if (!ended) {
    recordEvent('session_end_refused', context, { userId: principal.id, sessionId: principal.sessionId })
    throw new Refusal('session_not_found')
  }
  await catchUp()
  recordEvent('sessions_ended', context, { userId: principal.id, sessionId: id, count: 1 })
}

/**
 * Refuses `reauthentication_required` unless the caller's session was opened by a password recently enough, where that
 * is demanded (ASVS 7.5.2). A refresh is no log-in, and a legacy token tells of none. It is a 403, not the 401 of
 * RFC 9470: on a 401 clients refresh their token or give it up, and here it is good, and another one would not help.
 */
async function requireRecentLogin(
  { sessions, settings, clock, recordEvent }: EndOthersDependencies,
  { id: userId, sessionId }: Principal,
  context: RequestContext,
): Promise<void> {
  const maxAgeMs = settings.privilegedSessionMaxAgeSeconds * 1000
  if (maxAgeMs === 0) return
  const openedAt = sessionId === null ? null : await sessions.openedAt(sessionId)
  // Neither long ago nor far in the future, which a clock that was ahead would have left.
  if (openedAt !== null && Math.abs(clock() - openedAt.getTime()) <= maxAgeMs) return
  recordEvent('session_end_refused', context, { userId, sessionId, reason: 'reauthentication_required' })
  throw new Refusal('reauthentication_required')
}

/** The caller's live sessions, newest first. */
export function listSessions(sessions: SessionStore, clock: Clock, principal: Principal): Promise<Session[]> {
  return sessions.list(principal.id, new Date(clock()))
}
