import { defineConfig } from 'vitest/config'

/** Tests of rules over HTTP, of SQL and of known mistakes run on both databases; the rest needs none, or starts its own. */
const onDatabase = (database: 'embedded' | 'server') => ({
  extends: true as const,
  test: { name: database, include: ['test/{http,db,security}/**/*.test.ts'], provide: { database } },
})

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', './test/support/closing-line.ts'],
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    env: { NODE_ENV: 'test' },
    projects: [
      onDatabase('embedded'),
      onDatabase('server'),
      {
        extends: true,
        test: {
          name: 'plain',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{http,db,security}/**'],
        },
      },
    ],
  },
})
