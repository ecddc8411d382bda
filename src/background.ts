import type { Log } from './log.js'

/** How often what has expired is removed. */
export const PURGE_INTERVAL_MS = 5 * 60_000

export interface Task {
  readonly name: string
  readonly everyMs: number
  /** Whether it runs at once as well. */
  readonly atStart?: boolean
  /** Should end early once it is told that everything stops. */
  readonly run: (stopping: AbortSignal) => Promise<unknown>
}

export interface Background {
  start(): void
  /** Resolves when no task runs any more. */
  stop(): Promise<void>
}

/** Runs housekeeping at intervals, each task never beside itself. A failure is logged; the next interval tries again. */
export function createBackground(tasks: readonly Task[], log: Log): Background {
  const timers = new Set<NodeJS.Timeout>()
  const running = new Set<Promise<void>>()
  const stopping = new AbortController()

  function schedule(task: Task, delayMs = task.everyMs): void {
    if (stopping.signal.aborted) return
    const timer = setTimeout(() => {
      timers.delete(timer)
      const run = runOnce(task).then(() => {
        running.delete(run)
        schedule(task)
      })
      running.add(run)
    }, delayMs)
    timer.unref()
    timers.add(timer)
  }

  async function runOnce({ name, run }: Task): Promise<void> {
    try {
      await run(stopping.signal)
    } catch (error) {
      log.warn({ task: name, err: error }, 'background task failed')
    }
  }

  return {
    start() {
      for (const task of tasks) schedule(task, task.atStart ? 0 : task.everyMs)
    },
    async stop() {
      stopping.abort()
      for (const timer of timers) clearTimeout(timer)
      await Promise.all(running)
    },
  }
}
