import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { loadEnvironment, readConfig } from '../config.js'
import { escapeControlsInLines } from '../core/text.js'
import { generateSecret } from '../secret-file.js'
import { start } from '../start.js'
import { KEYS_USAGE, runKeys } from './keys.js'
import { MIGRATE_USAGE, runMigrate } from './migrate.js'
import { runUsers, USERS_USAGE } from './users.js'

const USAGE = `Usage: keyward <command>

  start     start the server (settings: environment and .env)
  migrate   bring the database up to date, without starting
  users     list, show, disable, enable, delete, set-password, logout, unlock
  keys      list, rotate, retire
  secret    print a new 256-bit secret for BETTER_AUTH_SECRET or KEY_ENCRYPTION_SECRET

  --help, --version
`

const USAGES: ReadonlyMap<string, string> = new Map([
  ['migrate', MIGRATE_USAGE],
  ['users', USERS_USAGE],
  ['keys', KEYS_USAGE],
])

interface Options {
  readonly json: boolean
  readonly generate: boolean
  readonly 'grant-to'?: string | undefined
}

type Command = (args: readonly string[], options: Options) => Promise<void>

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ['start', withoutArguments(() => start(loadEnvironment()))],
  [
    'migrate',
    async (args, options) =>
      print(await runMigrate(readConfig(loadEnvironment(), 'database'), args, options['grant-to'] ?? null)),
  ],
  [
    'users',
    async (args, options) => print(await runUsers(readConfig(loadEnvironment(), 'database'), args, options)),
  ],
  [
    'keys',
    async (args, options) => print(await runKeys(readConfig(loadEnvironment(), 'database'), args, options)),
  ],
  ['secret', withoutArguments(async () => print(generateSecret()))],
])

function withoutArguments(run: () => Promise<void>): Command {
  return (args) => {
    if (args.length > 0) throw new Error(`this command takes no arguments\n\n${USAGE}`)
    return run()
  }
}

function print(text: string): void {
  process.stdout.write(`${escapeControlsInLines(text)}\n`)
}

function readVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

async function run(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      version: { type: 'boolean', short: 'v', default: false },
      json: { type: 'boolean', default: false },
      generate: { type: 'boolean', default: false },
      'grant-to': { type: 'string' },
    },
  })
  const [name, ...rest] = positionals
  if (values.help) return print((USAGES.get(name ?? '') ?? USAGE).trimEnd())
  if (values.version) return print(readVersion())
  const command = name === undefined ? undefined : COMMANDS.get(name)
  if (!command) throw new Error(`unknown command\n\n${USAGE}`)
  await command(rest, values)
}

try {
  await run(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`keyward: ${escapeControlsInLines((error as Error).message)}\n`)
  process.exit(1)
}
