import type { Account } from '../accounts/account.js'
import type { ProfileChange } from '../accounts/profile.js'
import type { Registration } from '../accounts/register.js'
import type { Principal } from '../core/access-token.js'
import type { RequestContext } from '../core/auth-event.js'
import type { Revocation } from '../core/revocation-log.js'
import type { PublicJwk } from '../core/signing-key.js'
import type { PasswordChange } from '../sessions/change-password.js'
import type { Credentials } from '../sessions/login.js'
import type { IssuedTokens, Session } from '../sessions/session.js'
import type { ReadHolder } from '../sessions/start-session.js'

/** What the HTTP side needs of the rules. */
export interface Api {
  register(registration: Registration, readHolder: ReadHolder, context: RequestContext): Promise<IssuedTokens>
  login(credentials: Credentials, readHolder: ReadHolder, context: RequestContext): Promise<IssuedTokens>
  refresh(refreshToken: string, context: RequestContext): Promise<IssuedTokens>
  logout(principal: Principal, context: RequestContext): Promise<void>
  logoutAll(principal: Principal, keepCurrent: boolean, context: RequestContext): Promise<void>
  listSessions(principal: Principal): Promise<Session[]>
  endSession(principal: Principal, id: string, context: RequestContext): Promise<void>
  changePassword(principal: Principal, change: PasswordChange, context: RequestContext): Promise<void>
  readProfile(principal: Principal): Promise<Account>
  updateProfile(principal: Principal, change: ProfileChange, context: RequestContext): Promise<Account>
  /** For other services: with what they can check tokens. */
  readPublicKeys(): { keys: PublicJwk[] }
  /** For other services: rows after a number, waiting for some when there are none. */
  readRevocations(after: number, waitSeconds: number): Promise<RevocationPage>
  /** How old the news of ended sessions are, in milliseconds. Rejects when the database cannot be reached. */
  checkReady(): Promise<number>
}

export interface RevocationPage {
  readonly rows: readonly Revocation[]
  readonly lastSeq: number
  readonly ageMs: number
  /** The database's clock, in seconds since the epoch. */
  readonly now: number
  readonly more: boolean
}
