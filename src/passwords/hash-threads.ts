import { Worker } from 'node:worker_threads'
import type { HashEngine } from './hash-engine.js'
import type { HashJob, HashOutcome } from './hash-thread.js'

/** Always the built file: a thread does not inherit what runs TypeScript in development. */
const THREAD = new URL('../../dist/passwords/hash-thread.js', import.meta.url)
/** They hold a few strings; without limits each would reserve as much as the whole process. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 }

export interface HashThreads extends HashEngine {
  /** Starts all threads, so that the first password need not wait for one. Rejects when they cannot run. */
  warmUp(): Promise<void>
  /** Ends the threads, once the hash is done that each may be at. What they were asked for, and will be, rejects. */
  close(): Promise<void>
}

interface Pending {
  readonly job: HashJob
  readonly resolve: (result: string | boolean) => void
  readonly reject: (error: Error) => void
}

interface Thread {
  readonly worker: Worker
  current: Pending | null
}

/**
 * Hashes on threads of its own, `size` at once: libuv's pool, which files, DNS and WebCrypto share, never sees one, and
 * the event loop keeps its processor. Threads start when first needed. More calls than threads wait in order.
 */
export function createHashThreads(size: number): HashThreads {
  const threads = new Set<Thread>()
  const pending: Pending[] = []
  let isClosed = false

  function startThread(): Thread {
    // No environment: a thread that sees passwords needs no other secret.
    const worker = new Worker(THREAD, { env: {}, execArgv: [], resourceLimits: RESOURCE_LIMITS })
    const thread: Thread = { worker, current: null }
    threads.add(thread)
    worker.unref()
    worker.on('message', (outcome: HashOutcome) => {
      const { current } = thread
      thread.current = null
      assign()
      if (thread.current === null) worker.unref()
      if ('result' in outcome) current?.resolve(outcome.result)
      else current?.reject(new Error(outcome.failure))
    })
    const onEnd = (error: Error): void => {
      if (!threads.delete(thread)) return
      thread.current?.reject(error)
      assign()
    }
    worker.on('error', onEnd)
    worker.on('exit', () => onEnd(new Error('A hash thread has ended')))
    return thread
  }

  function findIdle(): Thread | null {
    for (const thread of threads) if (thread.current === null) return thread
    return threads.size < size ? tryToStart() : null
  }

  /** A system that is out of threads: those there are go on, and without any nobody is to wait. */
  function tryToStart(): Thread | null {
    try {
      return startThread()
    } catch (error) {
      if (threads.size === 0) rejectPending(error as Error)
      return null
    }
  }

  function rejectPending(error: Error): void {
    for (const { reject } of pending.splice(0)) reject(error)
  }

  function assign(): void {
    if (pending.length === 0) return
    const thread = findIdle()
    if (thread === null) return
    thread.current = pending.shift() as Pending
    // The process must not end under it.
    thread.worker.ref()
    thread.worker.postMessage(thread.current.job)
  }

  function run<Result extends string | boolean>(
    primitive: HashJob['primitive'],
    ...values: readonly unknown[]
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (isClosed) return reject(new Error('The hash threads are closed'))
      pending.push({ job: { primitive, values }, resolve: resolve as Pending['resolve'], reject })
      assign()
    })
  }

  return {
    bcryptHash: (key, cost, salt) => run('bcryptHash', key, cost, salt),
    bcryptVerify: (key, modularCrypt) => run('bcryptVerify', key, modularCrypt),
    argon2idHash: (password) => run('argon2idHash', password),
    argon2idVerify: (password, phc) => run('argon2idVerify', password, phc),
    async warmUp() {
      // The cheapest hash there is, one for each thread at once.
      const probe = `$2b$04$${'.'.repeat(53)}`
      await Promise.all(Array.from({ length: size }, () => run('bcryptVerify', '', probe)))
    },
    async close() {
      isClosed = true
      rejectPending(new Error('The hash threads are closed'))
      await Promise.all([...threads].map(({ worker }) => worker.terminate()))
    },
  }
}
