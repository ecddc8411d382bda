import type { Account } from '../accounts/account.js'

/** Why a session ended. */
export type EndReason =
  | 'logout'
  | 'logout_all'
  | 'ended_by_user'
  | 'password_changed'
  | 'account_disabled'
  | 'refresh_token_reused'
  | 'ended_by_operator'
  /** Its client logged in again. */
  | 'replaced'

/** A session as its owner sees it. */
export interface Session {
  /** The `sid` of its access tokens. */
  readonly id: string
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly expiresAt: Date
  /** Peer address and `User-Agent` of the log-in. */
  readonly address: string
  readonly userAgent: string
}

/** What a client gets at log-in and at refresh. */
export interface IssuedTokens {
  readonly sessionId: string
  readonly accessToken: string
  readonly expiresInSeconds: number
  readonly refreshToken: string
  readonly account: Account
}

export interface NewSession {
  readonly id: string
  readonly userId: string
  /** The hash that has just been verified or made: the session opens only while it is still the account's. */
  readonly verifiedHash: string
  readonly refreshHash: Buffer
  readonly address: string
  readonly userAgent: string
  readonly now: Date
  readonly idleExpiresAt: Date
  readonly expiresAt: Date
  readonly accessExpiresAt: Date
  /** The session that the client has held so far, of whichever account; null for none. */
  readonly replaces: HeldSession | null
}

export interface HeldSession {
  readonly id: string
  readonly userId: string
}

export interface Rotation {
  readonly presentedHash: Buffer
  readonly nextHash: Buffer
  readonly sealedNext: Buffer
  readonly now: Date
  readonly idleExpiresAt: Date
  /** When the access token that goes with it would expire; the session's own end comes first. */
  readonly accessExpiresAt: Date
  /** A parent that was replaced after this gets the same child again. */
  readonly repeatableSince: Date
}

interface Refreshed {
  readonly sessionId: string
  readonly account: Account
  readonly accessExpiresAt: Date
}

export type RotationOutcome =
  | ({ readonly outcome: 'rotated' } & Refreshed)
  /** The presented token is the parent of the current one, whose reply may have been lost. */
  | ({ readonly outcome: 'repeated'; readonly sealedCurrent: Buffer } & Refreshed)
  /** A spent token came again; its session has been ended. */
  | { readonly outcome: 'reused'; readonly sessionId: string; readonly userId: string }
  /** No live session has ever had this token. */
  | { readonly outcome: 'gone' }

export interface PasswordReplacement {
  readonly userId: string
  readonly verifiedHash: string
  readonly newHash: string
  /** The session that made the change goes on. */
  readonly exceptSessionId: string | null
  readonly now: Date
}

/** What the rules for sessions need of the database; each method is atomic. */
export interface SessionStore {
  /**
   * Opens a session and ends the one that it replaces. False, and nothing has happened, when the account was disabled,
   * deleted, or got another password since it was verified.
   */
  open(session: NewSession): Promise<boolean>
  rotate(rotation: Rotation): Promise<RotationOutcome>
  /** When a session was opened; null when there is none with this id. */
  openedAt(sessionId: string): Promise<Date | null>
  /** Sessions that have not ended or expired, newest first. */
  list(userId: string, now: Date): Promise<Session[]>
  /** Ends one session of this user; false when there is no live one with this id. */
  end(userId: string, sessionId: string, reason: EndReason, now: Date): Promise<boolean>
  /** Ends all sessions of a user but one; returns how many. */
  endAll(userId: string, exceptId: string | null, reason: EndReason, now: Date): Promise<number>
  /** Replaces the password and ends the other sessions; false when the verified hash is no longer the account's. */
  replacePassword(replacement: PasswordReplacement): Promise<boolean>
  /** Moves `lastSeenAt` of these sessions forward. */
  touch(ids: readonly string[], now: Date): Promise<void>
}
