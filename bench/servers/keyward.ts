import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type ServerProcess, startServer } from './server-process.js'

export const SECRET = 'J8vXk2pQz7LmN4rTs9WbYc3DfGh6KjEa'
export const FEED_TOKEN = 'Qm4rTs9WbYc3DfGh6KjEaJ8vXk2pQz7L'
export const PASSWORD = 'C0rrect-horse!battery'
export const BCRYPT_COST = 12

export type KeywardDatabase = { readonly url: string } | { readonly dataDir: string }

const KEYWARD = '../../bin/keyward.js'

/** The built server as an operator runs it: production, all checks on, security events written. */
export function startKeyward(database: KeywardDatabase, folder: string): Promise<ServerProcess> {
  return startServer({ command: [KEYWARD, 'start'], env: environment(database), folder })
}

/** Brings an empty database on a server up to date. */
export function migrate(database: KeywardDatabase, folder: string): void {
  const script = fileURLToPath(new URL(KEYWARD, import.meta.url))
  const env = { PATH: process.env.PATH ?? '', ...environment(database) }
  execFileSync(process.execPath, [script, 'migrate'], { cwd: folder, env })
}

function environment(database: KeywardDatabase): Record<string, string> {
  return {
    NODE_ENV: 'production',
    PORT: '0',
    DOCS: 'off',
    BCRYPT_COST: String(BCRYPT_COST),
    BETTER_AUTH_SECRET: SECRET,
    REVOCATION_FEED_TOKEN: FEED_TOKEN,
    // The load says on whose behalf it comes, so that limits by client can stay on.
    TRUST_PROXY: '1',
    ...('url' in database ? { DATABASE_URL: database.url } : { EMBEDDED: 'on', DATA_DIR: database.dataDir }),
  }
}
