/** What is known of the request that caused an event. */
export interface RequestContext {
  readonly requestId: string
  /** Address of the peer. */
  readonly address: string
}

interface EventFields {
  readonly userId?: string
  readonly sessionId?: string | null
  readonly reason?: 'unknown_email' | 'wrong_password' | 'account_disabled' | 'email_taken'
}

/** The closed list of security events (ASVS 16.1.1). None carries a password, a token or an e-mail address. */
export const AUTH_EVENTS = [
  'register',
  'register_refused',
  'login',
  'login_failed',
  'logout',
  'profile_changed',
  'password_rehashed',
] as const

export type AuthEventName = (typeof AUTH_EVENTS)[number]

/** Writes one event to the log, as one line of JSON. */
export type RecordEvent = (event: AuthEventName, context: RequestContext, fields: EventFields) => void
