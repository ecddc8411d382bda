import { verify } from '@node-rs/bcrypt'
import { availableParallelism } from 'node:os'
import type { HashLoop } from './job.js'
import type { Tally } from './tally.js'

/** One check after another on each core until the time `until`. A match counts as status 200. */
export async function runHashLoop({ password, hash }: HashLoop, tally: Tally, until: number): Promise<void> {
  const occupyCore = async (): Promise<void> => {
    for (let at = performance.now(); at < until; at = performance.now()) {
      tally.sent(at)
      const matches = await verify(password, hash)
      tally.answered(at, performance.now(), { status: matches ? 200 : 401, hasRetryAfter: false })
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, occupyCore))
}
