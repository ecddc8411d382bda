import type { CredentialStore } from '../accounts/account.js'
import type { ThrottledPasswords } from '../attempts/throttled-passwords.js'
import type { Principal } from '../core/access-token.js'
import type { RequestContext } from '../core/auth-event.js'
import { isStorableText } from '../core/text.js'
import { Refusal } from '../errors.js'
import type { PasswordPolicy } from '../passwords/password-policy.js'
import type { EndDependencies } from './end-sessions.js'

export interface PasswordChange {
  readonly currentPassword: string
  readonly newPassword: string
}

export interface PasswordChangeDependencies extends EndDependencies {
  readonly credentials: CredentialStore
  readonly passwords: ThrottledPasswords
  readonly passwordPolicy: PasswordPolicy
}

/**
 * Sets a new password for the caller and ends all other sessions (ASVS 6.2.3, 7.4.3). Refusals: `validation_failed`
 * with what is wrong with the new password, `wrong_password` for a current one that is wrong or has expired,
 * `too_many_attempts` (counted together with those at log-ins), `account_not_found`.
 */
export async function changePassword(
  dependencies: PasswordChangeDependencies,
  principal: Principal,
  { currentPassword, newPassword }: PasswordChange,
  context: RequestContext,
): Promise<void> {
  const { credentials, passwords, sessions, clock, recordEvent } = dependencies
  const refusedFor = await passwords.admit({ ...context, isSignedIn: true }, async (admitted) => {
    const found = await credentials.findCredentialsById(principal.id, new Date(clock()))
    if (found === null) throw new Refusal('account_not_found')
    const { account, passwordHash: verifiedHash } = found
    checkNewPassword(newPassword, currentPassword, dependencies.passwordPolicy(newPassword, account.email))
    if (!isStorableText(currentPassword)) return 'wrong_password'
    const { email } = account
    const claim = { email, password: currentPassword, find: async () => found }
    const { matches } = await admitted.check(claim)
    if (verifiedHash === null) return 'password_expired'
    if (!matches) return 'wrong_password'
    const replaced = await sessions.replacePassword({
      userId: account.id,
      verifiedHash,
      newHash: await admitted.hash(newPassword),
      exceptSessionId: principal.sessionId,
      now: new Date(clock()),
    })
    // Somebody else was faster: what was verified is no longer the password.
    return replaced ? null : 'wrong_password'
  })
  if (refusedFor !== null) {
    recordEvent('password_change_refused', context, { userId: principal.id, reason: refusedFor })
    throw new Refusal('wrong_password')
  }
  await dependencies.catchUp()
  recordEvent('password_changed', context, { userId: principal.id, sessionId: principal.sessionId })
}

function checkNewPassword(newPassword: string, currentPassword: string, problems: readonly string[]): void {
  const all = newPassword === currentPassword ? [...problems, 'must differ from the current one'] : problems
  if (all.length > 0) {
    throw new Refusal('validation_failed', {
      errors: all.map((message) => ({ field: 'new_password', message })),
    })
  }
}
