import { needsGeneratedSecret } from '../compose-keys.js'
import type { Config } from '../config.js'
import type { Database } from '../db/database.js'
import { hasEmbeddedDatabase } from '../db/embedded-folder.js'
import { createLog } from '../log.js'
import { openDatabase } from '../open-database.js'
import { askRunningServer, type OperatorCommand, type ReportOn } from '../operators/control-socket.js'
import { readOrCreateSecret } from '../secret-file.js'

/** Carries out an operator's command: on the database itself, or through the server that holds the embedded one. */
export async function carryOut<Command extends OperatorCommand>(
  config: Config,
  command: Command,
  run: (database: Database, command: Command) => Promise<ReportOn<Command>>,
): Promise<ReportOn<Command>> {
  if (config.databaseUrl === null) {
    const report = await askRunningServer(config.dataDir, command)
    if (report !== null) return report
    if (!hasEmbeddedDatabase(config.dataDir)) throw new Error(`There is no database in ${config.dataDir}.`)
  }
  const { database } = await openDatabase(config, createLog('warn', process.stderr))
  try {
    return await run(database, command)
  } finally {
    await database.close()
  }
}

/** The secret that a server with this configuration would make for itself; null where it must be given one, or has one. */
export async function generatedSecretFor(config: Config): Promise<string | null> {
  return !config.isProduction && needsGeneratedSecret(config) ? readOrCreateSecret(config.dataDir) : null
}
