import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
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

/**
 * Brings `dist/` up to date, for the tests that start Keyward as users do, and provides one real PostgreSQL for the
 * whole run: `TEST_DATABASE_URL`, or one started here and gone afterwards.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  // Called for every project; what the root provides is there for all.
  if (!project.isRootProject()) return undefined
  await build()
  const { url, stop } = await findPostgres()
  project.provide('serverUrl', url)
  return stop
}

async function findPostgres(): Promise<{ url: string; stop: () => Promise<void> }> {
  const url = process.env.TEST_DATABASE_URL
  if (url) return { url, stop: async () => {} }
  const server = await startPostgres()
  return { url: server.url, stop: () => server.stop() }
}

async function build(): Promise<void> {
  const script = fileURLToPath(new URL('../../scripts/prepare.js', import.meta.url))
  await promisify(execFile)(process.execPath, [script]).catch((error: Error & { stdout?: string }) => {
    throw new Error(`Keyward does not compile:\n${error.stdout ?? ''}`, { cause: error })
  })
}
