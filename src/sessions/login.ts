import type { Account, CredentialStore, StoredCredentials } from '../accounts/account.js'
import type { AdmittedPasswords, ThrottledPasswords } from '../attempts/throttled-passwords.js'
import type { RecordEvent, RequestContext } from '../core/auth-event.js'
import type { Clock } from '../core/clock.js'
import { type Email, parseEmail } from '../core/email.js'
import { isStorableText } from '../core/text.js'
import { type FieldError, Refusal } from '../errors.js'
import type { IssuedTokens } from './session.js'

export interface Credentials {
  readonly email: string
  readonly password: string
}

export interface LoginDependencies {
  readonly credentials: CredentialStore
  readonly passwords: ThrottledPasswords
  readonly startSession: (
    account: Account,
    verifiedHash: string,
    context: RequestContext,
  ) => Promise<IssuedTokens | null>
  readonly clock: Clock
  readonly recordEvent: RecordEvent
}

/** An account that changes under a log-in is looked at once more; twice is no accident. */
const MAX_LOOKS = 2

/**
 * Opens a session for the right password. Refusals: `validation_failed` (never the password policy),
 * `too_many_attempts` and `invalid_credentials`, alike whether or not there is an account or its generated password
 * has expired, and `account_disabled`, which only the right password learns of. A refusal leaves the client with the
 * session that it holds.
 */
export async function login(
  dependencies: LoginDependencies,
  { email, password }: Credentials,
  context: RequestContext,
): Promise<IssuedTokens> {
  const parsed = checkForm(email, password)
  return dependencies.passwords.admit({ ...context, email: parsed.address }, (admitted) =>
    openSession({ ...dependencies, admitted }, parsed, password, context),
  )
}

interface Admitted extends LoginDependencies {
  readonly admitted: AdmittedPasswords
}

async function openSession(
  dependencies: Admitted,
  email: Email,
  password: string,
  context: RequestContext,
): Promise<IssuedTokens> {
  for (let look = 1; look <= MAX_LOOKS; look++) {
    const { account, currentHash } = await verify(dependencies, email, password, context)
    const session = await dependencies.startSession(account, currentHash, context)
    if (session !== null) {
      dependencies.recordEvent('login', context, { userId: account.id, sessionId: session.sessionId })
      return session
    }
    // Another log-in has renewed the hash, or the password was changed: the new state decides.
  }
  dependencies.recordEvent('login_failed', context, { reason: 'account_changed' })
  throw new Refusal('invalid_credentials')
}

/** The account and its hash as it is now. A hash is computed whether or not the account exists (ASVS 6.3.8). */
async function verify(
  dependencies: Admitted,
  email: Email,
  password: string,
  context: RequestContext,
): Promise<{ account: Account; currentHash: string }> {
  const { credentials, admitted, clock, recordEvent } = dependencies
  const { found, matches, outdated } = await admitted.check({
    email: email.address,
    password,
    find: () => credentials.findCredentials(email.lookupKeys, new Date(clock())),
  })
  if (found === null || found.passwordHash === null || !matches) {
    const reason = whyRefused(found)
    recordEvent('login_failed', context, { reason, ...(found && { userId: found.account.id }) })
    throw new Refusal('invalid_credentials')
  }
  const { account, passwordHash } = found
  if (!account.isActive) {
    recordEvent('login_failed', context, { reason: 'account_disabled', userId: account.id })
    throw new Refusal('account_disabled')
  }
  if (!outdated) return { account, currentHash: passwordHash }
  return { account, currentHash: await renewHash(dependencies, account.id, passwordHash, password, context) }
}

function whyRefused(found: StoredCredentials | null) {
  if (found === null) return 'unknown_email'
  return found.passwordHash === null ? 'password_expired' : 'wrong_password'
}

/** The hash that is the account's now. Being too busy must not fail a log-in that has succeeded: the next renews. */
async function renewHash(
  { credentials, admitted, recordEvent }: Admitted,
  id: string,
  verifiedHash: string,
  password: string,
  context: RequestContext,
): Promise<string> {
  try {
    const newHash = await admitted.hash(password)
    if (!(await credentials.replaceHash(id, verifiedHash, newHash))) return verifiedHash
    recordEvent('password_rehashed', context, { userId: id })
    return newHash
  } catch (error) {
    if (error instanceof Refusal) return verifiedHash
    throw error
  }
}

function checkForm(email: string, password: string): Email {
  const errors: FieldError[] = []
  const parsed = parseEmail(email)
  if (parsed === null) errors.push({ field: 'email', message: 'is not a valid email address' })
  if (!isStorableText(password)) {
    errors.push({ field: 'password', message: 'contains characters that cannot be used' })
  }
  if (parsed === null || errors.length > 0) throw new Refusal('validation_failed', { errors })
  return parsed
}
