import type { Principal } from '../core/access-token.js'
import type { RecordEvent, RequestContext } from '../core/auth-event.js'
import type { Clock } from '../core/clock.js'
import { parseDisplayName } from '../core/display-name.js'
import { Refusal } from '../errors.js'
import type { Account, AccountStore } from './account.js'

export interface ProfileChange {
  readonly name?: string | null
}

export interface ProfileDependencies {
  readonly accounts: AccountStore
  readonly clock: Clock
  readonly recordEvent: RecordEvent
}

/** The caller's own account. Refusals: `account_not_found`; `invalid_token` once the account is disabled. */
export async function readProfile(accounts: AccountStore, principal: Principal): Promise<Account> {
  const account = await accounts.findById(principal.id)
  if (account === null) throw new Refusal('account_not_found')
  // A token outlives a change of the account; its subject must still be a live one (RFC 8725 §3.8).
  if (!account.isActive) throw new Refusal('invalid_token')
  return account
}

/** Changes the caller's name; a missing or null name changes nothing. Refusals: those of reading, `validation_failed`. */
export async function updateProfile(
  { accounts, clock, recordEvent }: ProfileDependencies,
  principal: Principal,
  change: ProfileChange,
  context: RequestContext,
): Promise<Account> {
  if (change.name === undefined || change.name === null) return readProfile(accounts, principal)
  const displayName = parseDisplayName(change.name)
  if ('problem' in displayName) {
    throw new Refusal('validation_failed', { errors: [{ field: 'name', message: displayName.problem }] })
  }
  const account = await accounts.rename(principal.id, displayName.name, new Date(clock()))
  // Nothing was renamed: reading says why, or the account has come back since.
  if (account === null) return readProfile(accounts, principal)
  recordEvent('profile_changed', context, { userId: account.id, sessionId: principal.sessionId })
  return account
}
