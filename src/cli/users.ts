import type { Config } from '../config.js'
import { composeHashThreads } from '../compose-passwords.js'
import { composeUserOperator } from '../compose-users.js'
import { escapeControls } from '../core/text.js'
import { USER_ACTIONS, type UserAction, type UserReport } from '../operators/commands.js'
import type { User } from '../operators/user.js'
import { carryOut, generatedSecretFor } from './carry-out.js'

export const USERS_USAGE = `Usage: keyward users <action> [who] [--json]

  list                  all users
  show <who>            one user; <who> is an id or an e-mail address
  disable <who>         no more log-ins; all sessions end
  enable <who>
  delete <who>          the account and its sessions are gone
  set-password <who>    reads the new password from standard input; all sessions end;
                        --generate makes one, which its owner has to change before it expires
  logout <who>          all sessions end
  unlock <who>          failed attempts at the password are forgotten, wherever they came from
`

export interface UsersOptions {
  readonly json: boolean
  readonly generate: boolean
}

/** Runs one of the operator's commands: on the database itself, or through the server that holds the embedded one. */
export async function runUsers(
  config: Config,
  [action, who, ...rest]: readonly string[],
  options: UsersOptions,
): Promise<string> {
  if (!isUserAction(action)) throw new Error(`unknown action\n\n${USERS_USAGE}`)
  const takesNobody = action === 'list'
  if (rest.length > 0 || takesNobody !== (who === undefined)) {
    throw new Error(`${action} takes ${takesNobody ? 'no user' : 'one user'}\n\n${USERS_USAGE}`)
  }
  const wantsPassword = action === 'set-password' && !options.generate
  const password = wantsPassword ? await readPassword() : null
  const report = await carryOut(config, { action, who: who ?? null, password }, async (database, command) => {
    const generatedSecret = action === 'unlock' ? await generatedSecretFor(config) : null
    const hashEngine = composeHashThreads(config)
    try {
      return await composeUserOperator({ config, generatedSecret, database, hashEngine })(command)
    } finally {
      await hashEngine.close()
    }
  })
  return options.json ? JSON.stringify(toJson(report), null, 2) : toText(report)
}

const isUserAction = (text: string | undefined): text is UserAction =>
  (USER_ACTIONS as readonly (string | undefined)[]).includes(text)

/** From standard input, never from an argument: those are visible to everyone on the machine. */
async function readPassword(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write('New password (it will be visible), then Enter and Ctrl+D: ')
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '')
}

const toJsonUser = (user: User) => ({
  id: user.id,
  email: user.email,
  name: user.name,
  is_active: user.isActive,
  created_at: user.createdAt.toISOString(),
  updated_at: user.updatedAt.toISOString(),
  live_sessions: user.liveSessions,
  password_expires_at: user.passwordExpiresAt?.toISOString() ?? null,
})

const toJson = ({ users, message, generatedPassword }: UserReport) => ({
  users: users.map(toJsonUser),
  ...(message !== null && { message }),
  ...(generatedPassword !== null && { generated_password: generatedPassword }),
})

function toText({ users, message, generatedPassword }: UserReport): string {
  const lines = message === null ? users.map(toLine) : [message]
  if (lines.length === 0) lines.push('There are no users.')
  if (generatedPassword !== null) lines.push(generatedPassword)
  // Another stack on the same table may have stored anything as an e-mail address.
  return lines.map(escapeControls).join('\n')
}

function toLine(user: User): string {
  const state = user.isActive ? 'active  ' : 'disabled'
  const line = `${user.id}  ${state}  ${user.liveSessions} session(s)  ${user.email}  ${JSON.stringify(user.name)}`
  const expiresAt = user.passwordExpiresAt?.toISOString()
  return expiresAt === undefined ? line : `${line}  generated password, good until ${expiresAt}`
}
