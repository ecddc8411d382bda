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

/** Ends all of the caller's sessions, or all but the current one. */
export async function logoutAll(
  { sessions, clock, recordEvent, catchUp }: EndDependencies,
  principal: Principal,
  keepCurrent: boolean,
  context: RequestContext,
): Promise<void> {
  const { id: userId, sessionId } = principal
  const count = await sessions.endAll(userId, keepCurrent ? sessionId : null, 'logout_all', new Date(clock()))
  await catchUp()
  recordEvent('sessions_ended', context, { userId, sessionId, count })
}

/** Ends one of the caller's sessions. Refusal: `session_not_found`, also for somebody else's (ASVS 8.2.2). */
export async function endSession(
  { sessions, clock, recordEvent, catchUp }: EndDependencies,
  principal: Principal,
  id: string,
  context: RequestContext,
): Promise<void> {
  const ended = isUuid(id) && (await sessions.end(principal.id, id, 'ended_by_user', new Date(clock())))
  if (!ended) {
    recordEvent('session_end_refused', context, { userId: principal.id, sessionId: principal.sessionId })
    throw new Refusal('session_not_found')
  }
  await catchUp()
  recordEvent('sessions_ended', context, { userId: principal.id, sessionId: id, count: 1 })
}

/** The caller's live sessions, newest first. */
export function listSessions(sessions: SessionStore, clock: Clock, principal: Principal): Promise<Session[]> {
  return sessions.list(principal.id, new Date(clock()))
}
