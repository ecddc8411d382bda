/** What is known of the request that caused an event. */
export interface RequestContext {
  readonly requestId: string
  /** Address of the peer. */
  readonly address: string
  /** As sent, cut to 200 characters; empty when none was. */
  readonly userAgent: string
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

interface EventFields {
  readonly userId?: string
  readonly sessionId?: string | null
  /** How many sessions the event ended, or how many events one line stands for. */
  readonly count?: number
  readonly reason?:
    | 'unknown_email'
    | 'wrong_password'
    | 'password_expired'
    | 'account_disabled'
    | 'account_changed'
    | 'email_taken'
}

/** The closed list of security events (ASVS 16.1.1). None carries a password, a token or an e-mail address. */
export const AUTH_EVENTS = [
  'register',
  'register_refused',
  'login',
  'login_failed',
  'attempt_refused',
  'session_refreshed',
  'refresh_repeated',
  'refresh_token_reused',
  'logout',
  'sessions_ended',
  'session_end_refused',
  'token_refused',
  'password_changed',
  'password_change_refused',
  'profile_changed',
  'password_rehashed',
] as const

export type AuthEventName = (typeof AUTH_EVENTS)[number]

/** Writes one event to the log, as one line of JSON. */
export type RecordEvent = (event: AuthEventName, context: RequestContext, fields: EventFields) => void
