import type { Account, CredentialStore } from '../accounts/account.js'
import type { RecordEvent, RequestContext } from '../core/auth-event.js'
import { parseEmail } from '../core/email.js'
import { isStorableText } from '../core/text.js'
import { type FieldError, Refusal } from '../errors.js'
import type { PasswordHasher } from '../passwords/password-hasher.js'
import type { Session } from './start-session.js'

export interface Credentials {
  readonly email: string
  readonly password: string
}

export interface LoginDependencies {
  readonly credentials: CredentialStore
  readonly hasher: PasswordHasher
  readonly startSession: (account: Account) => Session
  readonly recordEvent: RecordEvent
}

/**
 * Opens a session for the right password. Refusals: `validation_failed` (never the password policy),
 * `invalid_credentials`, and `account_disabled`, which only the right password learns of.
 * A hash is always computed, whether or not the account exists (ASVS 6.3.8).
 */
export async function login(
  { credentials, hasher, startSession, recordEvent }: LoginDependencies,
  { email, password }: Credentials,
  context: RequestContext,
): Promise<Session> {
  const lookupKeys = checkForm(email, password)
  const found = await credentials.findCredentials(lookupKeys)
  const verdict = await hasher.verify(password, found?.passwordHash ?? null)

  if (found === null || !verdict.matches) {
    const reason = found === null ? 'unknown_email' : 'wrong_password'
    recordEvent('login_failed', context, { reason, ...(found && { userId: found.account.id }) })
    throw new Refusal('invalid_credentials')
  }
  const { account, passwordHash } = found
  if (!account.isActive) {
    recordEvent('login_failed', context, { reason: 'account_disabled', userId: account.id })
    throw new Refusal('account_disabled')
  }
  if (verdict.outdated && (await renewHash(account.id, passwordHash))) {
    recordEvent('password_rehashed', context, { userId: account.id })
  }
  const session = startSession(account)
  recordEvent('login', context, { userId: account.id, sessionId: session.id })
  return session

  /** A refusal (too busy, database gone) must not fail a login that has succeeded: the next one tries again. */
  async function renewHash(id: string, verifiedHash: string): Promise<boolean> {
    try {
      return await credentials.replaceHash(id, verifiedHash, await hasher.hash(password))
    } catch (error) {
      if (error instanceof Refusal) return false
      throw error
    }
  }
}

function checkForm(email: string, password: string): readonly string[] {
  const errors: FieldError[] = []
  const parsed = parseEmail(email)
  if (parsed === null) errors.push({ field: 'email', message: 'is not a valid email address' })
  if (!isStorableText(password)) {
    errors.push({ field: 'password', message: 'contains characters that cannot be used' })
  }
  if (parsed === null || errors.length > 0) throw new Refusal('validation_failed', { errors })
  return parsed.lookupKeys
}
