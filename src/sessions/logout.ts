import type { Principal } from '../core/access-token.js'
import type { RecordEvent, RequestContext } from '../core/auth-event.js'

/**
 * Ends the caller's session: the only door out. The access token itself lives until it expires, so the client has
 * to discard it.
 */
export function logout(recordEvent: RecordEvent, principal: Principal, context: RequestContext): void {
  recordEvent('logout', context, { userId: principal.id, sessionId: principal.sessionId })
}
