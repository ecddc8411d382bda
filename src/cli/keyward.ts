import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { loadEnvironment, readConfig } from '../config.js'
import { createLog } from '../log.js'
import { openDatabase } from '../open-database.js'
import { generateSecret } from '../secret-file.js'
import { start } from '../start.js'

const USAGE = `Usage: keyward <command>

  start     start the server (settings: environment and .env)
  migrate   bring the database up to date, without starting
  secret    print a new 256-bit secret for BETTER_AUTH_SECRET

  --help, --version
`

const COMMANDS: ReadonlyMap<string, () => Promise<void>> = new Map([
  ['start', () => start(loadEnvironment())],
  ['migrate', runMigrate],
  ['secret', async () => print(generateSecret())],
])

async function runMigrate(): Promise<void> {
  const config = readConfig(loadEnvironment())
  const { database, report } = await openDatabase(config, createLog('warn'))
  await database.close()
  if (report.adopted) print('The existing users table was adopted.')
  print(report.applied.length === 0 ? 'The database is up to date.' : `Applied: ${report.applied.join(', ')}`)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function readVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

async function run(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } },
  })
  if (values.help) return print(USAGE.trimEnd())
  if (values.version) return print(readVersion())
  const [name, ...rest] = positionals
  const command = name === undefined || rest.length > 0 ? undefined : COMMANDS.get(name)
  if (!command) throw new Error(`unknown command\n\n${USAGE}`)
  await command()
}

try {
  await run(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`keyward: ${(error as Error).message}\n`)
  process.exit(1)
}
