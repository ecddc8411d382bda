import type { TestProject } from 'vitest/node'
import { startPostgres } from './postgres-server.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of a PostgreSQL server on which tests may create databases. */
    serverUrl: string
    /** On which database this project's tests run. */
    database: 'embedded' | 'server'
  }
}

/** One real PostgreSQL for the whole run: `TEST_DATABASE_URL`, or one started here and gone afterwards. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.TEST_DATABASE_URL
  if (given) {
    project.provide('serverUrl', given)
    return async () => {}
  }
  const server = await startPostgres()
  project.provide('serverUrl', server.url)
  return () => server.stop()
}
