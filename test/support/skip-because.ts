import type { TestContext } from 'vitest'

/** Skips a test that cannot run on this machine, and never silently: the reason is printed. */
export function skipBecause(context: TestContext, reason: string): never {
  process.stderr.write(`Not run: "${context.task.name}": ${reason}\n`)
  return context.skip(reason)
}
