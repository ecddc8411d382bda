import type { Account } from '../accounts/account.js'

/** An account as an operator sees it. */
export interface User extends Account {
  readonly liveSessions: number
  /** Until when the password is good that was generated for it; null once somebody has chosen another. */
  readonly passwordExpiresAt: Date | null
}

/** What the operator's commands need of the database; each method is atomic, and endings reach every node's feed. */
export interface UserStore {
  /** In order of ids, after this one. */
  list(page: { readonly afterId: string | null; readonly limit: number }): Promise<User[]>
  /** By id, or by every spelling of an address. */
  find(by: { readonly id: string } | { readonly lookupKeys: readonly string[] }): Promise<User | null>
  /** Disabling ends all sessions. False when the user is gone. */
  setActive(id: string, isActive: boolean, now: Date): Promise<boolean>
  /** Deletes the account with its sessions, which end. False when it is gone already. */
  delete(id: string): Promise<boolean>
  /** Sets another password, good until `expiresAt` or for ever, and ends all sessions. False when the user is gone. */
  setPassword(id: string, passwordHash: string, expiresAt: Date | null, now: Date): Promise<boolean>
  /** Ends all sessions; returns how many. */
  logout(id: string, now: Date): Promise<number>
}
