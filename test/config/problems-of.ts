import { ConfigError, readConfig } from '../../src/config.js'

export const SECRET = 'mV3xqLw8ZrT5nKc1YbH7dFg2JsPa9eUo'
export const DATABASE_URL = 'postgresql://keyward:db-pa55word@db.example/keyward'
/** All that production demands. */
export const PRODUCTION = { NODE_ENV: 'production', BETTER_AUTH_SECRET: SECRET, DATABASE_URL }

/** What is wrong with an environment. */
export function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfig(environment)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}
