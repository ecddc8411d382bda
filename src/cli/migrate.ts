import type { Config } from '../config.js'
import { grantToServer } from '../db/server-role.js'
import { createLog } from '../log.js'
import { openDatabase } from '../open-database.js'

export const MIGRATE_USAGE = `Usage: keyward migrate [--grant-to <role>]

  Brings the database up to date, without starting.

  --grant-to <role>  gives the role what the server needs, and takes from it any other right on Keyward's tables:
                     run this as their owner, and the server as that role
`

/** Brings the database up to date, and lets a role run the server on it. Resolves with what has been done. */
export async function runMigrate(
  config: Config,
  args: readonly string[],
  grantTo: string | null,
): Promise<string> {
  if (args.length > 0) throw new Error(`this command takes no arguments\n\n${MIGRATE_USAGE}`)
  if (grantTo !== null && config.databaseUrl === null)
    throw new Error('The embedded database knows no roles: --grant-to needs a DATABASE_URL.')
  const { database, report } = await openDatabase(config, createLog('warn', process.stderr))
  try {
    if (grantTo !== null) await grantToServer(database, grantTo)
  } finally {
    await database.close()
  }
  return [
    ...(report.adopted ? ['The existing users table was adopted.'] : []),
    report.applied.length === 0 ? 'The database is up to date.' : `Applied: ${report.applied.join(', ')}`,
    ...(grantTo === null ? [] : [`The role ${grantTo} may run the server.`]),
  ].join('\n')
}
