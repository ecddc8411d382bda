import { createAccountKey } from './attempts/attempt.js'
import { createAttemptStore } from './attempts/sql.js'
import type { Parts } from './compose.js'
import { rootSecretOf } from './compose-keys.js'
import { composePasswords } from './compose-passwords.js'
import { systemClock } from './core/clock.js'
import { runUserCommand, type UserCommand, type UserReport } from './operators/commands.js'
import { createUserStore } from './operators/sql.js'

type UserOperatorParts = Pick<Parts, 'config' | 'generatedSecret' | 'database' | 'clock' | 'hashEngine'>

/** What runs operators' commands for accounts. */
export function composeUserOperator({
  config,
  generatedSecret,
  database,
  clock = systemClock,
  hashEngine,
}: UserOperatorParts): (command: UserCommand) => Promise<UserReport> {
  const dependencies = {
    users: createUserStore(database),
    forgetAttempts: async (email: string) =>
      createAttemptStore(database).forget(createAccountKey(rootSecretOf(config, generatedSecret))(email)),
    clock,
    generatedPasswordTtlSeconds: config.generatedPasswordTtlSeconds,
    ...composePasswords(config, hashEngine),
  }
  return (command) => runUserCommand(dependencies, command)
}
