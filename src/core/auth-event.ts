import type { ErrorCode } from '../errors.js'

/** What an event tells of the request that caused it. */
interface EventCause {
  readonly requestId: string
  /** Address of the client. */
  readonly address: string
}

/** What is known of a request. */
export interface RequestContext extends EventCause {
  /** As sent, cut to 200 characters; empty when none was. */
  readonly userAgent: string
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** Refusals of a request for its form, or past the limits of requests: what probing meets first (ASVS 16.3.3). */
export const REQUEST_REFUSALS = [
  'validation_failed',
  'malformed_json',
  'malformed_request',
  'request_timeout',
  'body_too_large',
  'uri_too_long',
  'unsupported_media_type',
  'headers_too_large',
  'too_many_requests',
] as const satisfies readonly ErrorCode[]

export interface RefusedRequest extends EventCause {
  readonly reason: (typeof REQUEST_REFUSALS)[number]
  /** Method and pattern of the address, such as `DELETE /api/auth/sessions/:id`; null where there is none. */
  readonly operation: string | null
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
    | 'replaced'
    | 'reauthentication_required'
    | RefusedRequest['reason']
  readonly operation?: string | null
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
  'request_refused',
] as const

export type AuthEventName = (typeof AUTH_EVENTS)[number]

/** Writes one event to the log, as one line of JSON. */
export type RecordEvent = (event: AuthEventName, cause: EventCause, fields: EventFields) => void
