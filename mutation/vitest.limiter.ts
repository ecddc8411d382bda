import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { defineConfig } from 'vitest/config'

/** In this order, so that most changes are noticed before a slow test has begun. */
const FILES = [
  'test/attempts/**/*.test.ts',
  'test/docs/documents.test.ts',
  'test/db/known-places.test.ts',
  'test/http/request-limits.test.ts',
  'test/http/attempts-without-outcome.test.ts',
  'test/http/unlock.test.ts',
  'test/http/crowded-queue.test.ts',
  'test/http/password-attempts.test.ts',
  'test/http/parallel-attempts.test.ts',
  'test/http/attempt-counts.test.ts',
  'test/http/attempts-of-one-address.test.ts',
  'test/http/attacked-account.test.ts',
]

class QuickFilesFirst extends BaseSequencer {
  override async sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const positionOf = ({ moduleId }: TestSpecification): number =>
      FILES.findIndex((file) => moduleId.endsWith(file))
    return specifications.toSorted((one, other) => positionOf(one) - positionOf(other))
  }
}

/** The tests that have to notice a change in the limiter, on the server that mutation/limiter.ts has started. */
export default defineConfig({
  test: {
    include: FILES,
    sequence: { sequencer: QuickFilesFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    env: { NODE_ENV: 'test' },
    provide: { database: 'server', serverUrl: process.env.TEST_DATABASE_URL ?? '' },
  },
})
