import { randomUUID } from 'node:crypto'
import type { ThrottledPasswords } from '../attempts/throttled-passwords.js'
import type { RecordEvent, RequestContext } from '../core/auth-event.js'
import type { Clock } from '../core/clock.js'
import { parseDisplayName } from '../core/display-name.js'
import { parseEmail } from '../core/email.js'
import { type FieldError, Refusal } from '../errors.js'
import type { PasswordPolicy } from '../passwords/password-policy.js'
import type { Account, AccountStore } from './account.js'

export interface Registration {
  readonly email: string
  readonly name: string
  readonly password: string
}

export interface RegisterDependencies {
  readonly accounts: AccountStore
  readonly passwords: ThrottledPasswords
  readonly passwordPolicy: PasswordPolicy
  readonly clock: Clock
  readonly recordEvent: RecordEvent
}

/**
 * Creates an account. Refusals: `validation_failed` with every invalid field at once, `email_taken`.
 * Of simultaneous registrations of one address exactly one succeeds: the unique index decides, not the look before.
 */
export async function register(
  dependencies: RegisterDependencies,
  registration: Registration,
  context: RequestContext,
): Promise<{ readonly account: Account; readonly passwordHash: string }> {
  const { accounts, passwords, clock, recordEvent } = dependencies
  const { email, name } = checkRegistration(registration, dependencies.passwordPolicy)

  const refuseTaken = (): never => {
    recordEvent('register_refused', context, { reason: 'email_taken' })
    throw new Refusal('email_taken')
  }
  const passwordHash = await passwords.admit(context, async (admitted) => {
    if (await accounts.isEmailTaken(email.lookupKeys)) refuseTaken()
    return admitted.hash(registration.password)
  })
  const createdAt = new Date(clock())
  const account = await accounts.insert({
    id: randomUUID(),
    email: email.address,
    name,
    passwordHash,
    createdAt,
  })
  if (account === null) return refuseTaken()
  await passwords.rememberPlace(email.address, context)
  recordEvent('register', context, { userId: account.id })
  return { account, passwordHash }
}

function checkRegistration(registration: Registration, passwordPolicy: PasswordPolicy) {
  const errors: FieldError[] = []
  const email = parseEmail(registration.email)
  if (email === null) errors.push({ field: 'email', message: 'is not a valid email address' })
  const displayName = parseDisplayName(registration.name)
  if ('problem' in displayName) errors.push({ field: 'name', message: displayName.problem })
  for (const message of passwordPolicy(registration.password, email?.address ?? '')) {
    errors.push({ field: 'password', message })
  }
  if (email === null || 'problem' in displayName || errors.length > 0) {
    throw new Refusal('validation_failed', { errors })
  }
  return { email, name: displayName.name }
}
