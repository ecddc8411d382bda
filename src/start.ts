import type { AddressInfo } from 'node:net'
import { compose } from './compose.js'
import { needsGeneratedSecret } from './compose-keys.js'
import { composeHashThreads } from './compose-passwords.js'
import { type Config, type Environment, readConfig } from './config.js'
import { createLog, type Log } from './log.js'
import { openDatabase } from './open-database.js'
import { openControlSocket } from './operators/control-socket.js'
import { readOrCreateSecret } from './secret-file.js'

/** Requests in flight get this long to finish; the process is gone within 10 s of SIGTERM, whatever still hangs. */
const DRAIN_MS = 7_000
const STOP_MS = 9_000

/**
 * Starts the server: configuration, database, HTTP. Resolves once it listens, and from then on SIGTERM or SIGINT
 * stops it. Rejects with an Error in words for the operator.
 */
export async function start(environment: Environment): Promise<void> {
  const config = readConfig(environment)
  const log = createLog(config.logLevel)
  endOnUnexpectedError(log)
  // Before there is anything to stop, ending is enough: what a start does to the database is all or nothing.
  let stop = async (): Promise<void> => {}
  stopOnSignal(() => stop(), log)
  const hashEngine = composeHashThreads(config)
  const [{ database }] = await Promise.all([openDatabase(config, log), hashEngine.warmUp()])
  try {
    const generatedSecret = needsGeneratedSecret(config) ? await readOrCreateSecret(config.dataDir) : null
    const { app, runUserCommand, runKeyCommand } = await compose({
      config,
      generatedSecret,
      database,
      log,
      hashEngine,
    })
    await app.listen({ host: config.host, port: config.port })
    // Only this process can use its embedded database, so it carries out what operators ask for.
    const control =
      config.databaseUrl === null
        ? await openControlSocket(config.dataDir, { runUserCommand, runKeyCommand })
        : null
    stop = async () => {
      // What has not finished by then is cut off, so that the database closes in order.
      const cut = setTimeout(() => app.server.closeAllConnections(), DRAIN_MS)
      await app.close()
      clearTimeout(cut)
      await control?.close()
      await Promise.all([database.close(), hashEngine.close()])
      log.info('stopped')
    }
    announce(app.server.address() as AddressInfo, config, log)
  } catch (error) {
    await database.close()
    throw error
  }
}

function announce({ address, family, port }: AddressInfo, config: Config, log: Log): void {
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  log.info({ url, database: config.databaseUrl === null ? 'embedded' : 'server' }, 'listening')
  if (config.isProduction) return
  const docs = config.docs ? `\n  API pages:    ${url}/docs` : ''
  process.stdout.write(`
Keyward listens on ${url}${docs}
  Try it:       curl -s ${url}/api/auth/register -H 'content-type: application/json' \\
                  -d '{"email":"ada@example.com","name":"Ada Lovelace","password":"C0rrect-horse!battery"}'
  Stop it:      Ctrl+C

`)
}

function stopOnSignal(stop: () => Promise<void>, log: Log): void {
  let stopping = false
  const onSignal = (signal: NodeJS.Signals): void => {
    // npm passes a signal on that the terminal has sent to the whole group already.
    if (stopping) return
    stopping = true
    log.info({ signal }, 'stopping')
    setTimeout(() => {
      log.fatal('could not stop in time')
      process.exit(1)
    }, STOP_MS).unref()
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.fatal({ err: error }, 'could not stop in order')
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
}

/** The last resort (ASVS 16.5.4): say what happened and end, for a supervisor to start a process in a known state. */
function endOnUnexpectedError(log: Log): void {
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'unexpected error')
    process.exit(1)
  })
}
