import { fork } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Job, LoadReport } from './job.js'

export interface LoadProcess {
  /** One job at a time. */
  run(job: Job): Promise<LoadReport>
  stop(): Promise<void>
}

/** Load comes from processes of its own, so that it shares no event loop and no thread with what it measures. */
export function startLoad(): LoadProcess {
  const child = fork(fileURLToPath(new URL('./worker.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
    // JSON has no NaN, which is the latency of no answers.
    serialization: 'advanced',
    // Of libuv's pool, for the hash loop.
    env: { ...process.env, UV_THREADPOOL_SIZE: String(availableParallelism()) },
  })
  const gone = once(child, 'exit')
  return {
    async run(job) {
      child.send(job)
      const failure = gone.then(() => {
        throw new Error('a load process ended in the middle of its job')
      })
      const [report] = (await Promise.race([once(child, 'message'), failure])) as [LoadReport]
      return report
    },
    async stop() {
      child.kill()
      await gone
    },
  }
}
