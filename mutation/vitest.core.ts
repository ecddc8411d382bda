import { defineConfig } from 'vitest/config'

/** The tests that have to notice a change in `src/core`: those that need neither a database nor a process. */
export default defineConfig({
  test: {
    include: ['test/core/**/*.test.ts', 'test/guard/{guard,fastify,remote-keys}.test.ts'],
    testTimeout: 60_000,
    env: { NODE_ENV: 'test' },
  },
})
