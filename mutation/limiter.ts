import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { startPostgres } from '../test/support/postgres-server.js'

/** Mutation testing of the limiter, on a PostgreSQL of its own: the embedded one takes seconds to start. */
const stryker = fileURLToPath(new URL('node_modules/.bin/stryker', import.meta.url))
const postgres = await startPostgres()
try {
  const run = spawn(stryker, ['run', 'mutation/stryker.limiter.json', ...process.argv.slice(2)], {
    env: { ...process.env, TEST_DATABASE_URL: postgres.url },
    stdio: 'inherit',
  })
  const [code] = await once(run, 'exit')
  process.exitCode = code ?? 1
} finally {
  await postgres.stop()
}
