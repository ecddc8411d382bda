import { randomBytes } from 'node:crypto'
import type { Clock } from '../core/clock.js'
import { parseEmail } from '../core/email.js'
import { isUuid } from '../core/uuid.js'
import type { PasswordHasher } from '../passwords/password-hasher.js'
import type { PasswordPolicy } from '../passwords/password-policy.js'
import type { User, UserStore } from './user.js'

export const USER_ACTIONS = [
  'list',
  'show',
  'disable',
  'enable',
  'delete',
  'set-password',
  'logout',
  'unlock',
] as const
export type UserAction = (typeof USER_ACTIONS)[number]

/** What an operator asks for, as it also travels to a running server. */
export interface UserCommand {
  readonly action: UserAction
  /** An id or an e-mail address; null for `list`. */
  readonly who: string | null
  /** For `set-password`; null lets one be generated. */
  readonly password: string | null
}

export interface UserReport {
  readonly users: readonly User[]
  /** What has been done, for people; null where the users themselves are the answer. */
  readonly message: string | null
  /** The password that was generated, shown this once. */
  readonly generatedPassword: string | null
}

export interface OperatorDependencies {
  readonly users: UserStore
  /** Forgets all failed attempts at an account's password; false when none were counted. */
  readonly forgetAttempts: (email: string) => Promise<boolean>
  readonly hasher: PasswordHasher
  readonly passwordPolicy: PasswordPolicy
  /** How long a password is good that was generated and that its owner does not change. */
  readonly generatedPasswordTtlSeconds: number
  readonly clock: Clock
}

const PAGE_SIZE = 1_000

/** Carries out one command. Rejects with an Error in words for the operator. */
export async function runUserCommand(
  dependencies: OperatorDependencies,
  { action, who, password }: UserCommand,
): Promise<UserReport> {
  const { users, clock } = dependencies
  if (action === 'list') return report(await listAll(users))
  const user = await findUser(users, who)
  const now = new Date(clock())
  switch (action) {
    case 'show':
      return report([user])
    case 'disable':
    case 'enable':
      demand(await users.setActive(user.id, action === 'enable', now))
      return report([await findUser(users, user.id)], `${user.email} is ${action}d.`)
    case 'delete':
      demand(await users.delete(user.id))
      return report([], `${user.email} is deleted.`)
    case 'logout': {
      const count = await users.logout(user.id, now)
      return report([await findUser(users, user.id)], `${count} session(s) of ${user.email} ended.`)
    }
    case 'unlock': {
      const hadFailed = await dependencies.forgetAttempts(user.email)
      const what = hadFailed ? 'The failed attempts are forgotten' : 'No failed attempts were counted'
      return report([user], `${what}: ${user.email}.`)
    }
    case 'set-password':
      return setPassword(dependencies, user, password)
  }
}

async function setPassword(
  dependencies: OperatorDependencies,
  user: User,
  given: string | null,
): Promise<UserReport> {
  const { users, hasher, passwordPolicy, clock } = dependencies
  const password = given ?? generatePassword()
  const problems = passwordPolicy(password, user.email)
  if (problems.length > 0) throw new Error(`The password ${problems.join('; it ')}.`)
  const passwordHash = await hasher.hash(password)
  const now = clock()
  const expiresAt = given === null ? new Date(now + dependencies.generatedPasswordTtlSeconds * 1000) : null
  demand(await users.setPassword(user.id, passwordHash, expiresAt, new Date(now)))
  const message = `The password of ${user.email} is set; all sessions ended.`
  const expiry = expiresAt && ` It expires at ${expiresAt.toISOString()} unless its owner changes it.`
  return {
    users: [await findUser(users, user.id)],
    message: message + (expiry ?? ''),
    generatedPassword: given === null ? password : null,
  }
}

/** 120 random bits in a form that every policy accepts. */
const generatePassword = (): string => `${randomBytes(15).toString('base64url')}-1`

async function listAll(users: UserStore): Promise<User[]> {
  const all: User[] = []
  for (;;) {
    const page = await users.list({ afterId: all.at(-1)?.id ?? null, limit: PAGE_SIZE })
    all.push(...page)
    // Pages go by id, which nothing that happens meanwhile can confuse; people want the oldest first.
    if (page.length < PAGE_SIZE) return all.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
  }
}

async function findUser(users: UserStore, who: string | null): Promise<User> {
  if (who === null) throw new Error('Say whom: an id or an e-mail address.')
  const user = await users.find(isUuid(who) ? { id: who } : { lookupKeys: lookupKeysOf(who) })
  if (user === null) throw new Error('There is no such user.')
  return user
}

function lookupKeysOf(address: string): readonly string[] {
  const email = parseEmail(address)
  if (email === null) throw new Error('That is neither an id nor an e-mail address.')
  return email.lookupKeys
}

function demand(done: boolean): void {
  if (!done) throw new Error('The user is gone meanwhile.')
}

const report = (users: readonly User[], message: string | null = null): UserReport => ({
  users,
  message,
  generatedPassword: null,
})
