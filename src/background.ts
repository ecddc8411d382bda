import type { Log } from './log.js'

export interface Task {
  readonly name: string
  readonly everyMs: number
  readonly run: () => Promise<unknown>
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
  let stopped = false

  function schedule(task: Task): void {
    if (stopped) return
    const timer = setTimeout(() => {
      timers.delete(timer)
      const run = runOnce(task).then(() => {
        running.delete(run)
        schedule(task)
      })
      running.add(run)
    }, task.everyMs)
    timer.unref()
    timers.add(timer)
  }

  async function runOnce({ name, run }: Task): Promise<void> {
    try {
      await run()
    } catch (error) {
      log.warn({ task: name, err: error }, 'background task failed')
    }
  }

  return {
    start() {
      for (const task of tasks) schedule(task)
    },
    async stop() {
      stopped = true
      for (const timer of timers) clearTimeout(timer)
      await Promise.all(running)
    },
  }
}
