import { defineConfig } from 'vitest/config'

/** The tests that have to notice a change in the limiter: those that need no database, or the embedded one alone. */
export default defineConfig({
  test: {
    include: [
      'test/attempts/**/*.test.ts',
      'test/http/{*attempt*,attacked-account,crowded-queue,unlock,request-limits}.test.ts',
      'test/docs/documents.test.ts',
    ],
    exclude: ['test/attempts/nodes.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    env: { NODE_ENV: 'test' },
    provide: { database: 'embedded' },
  },
})
