import { KeywardError } from './keyward-error.js'

/** Runs one piece of work at a time. Rejects as the work does. */
export type Lock = <T>(work: () => Promise<T>) => Promise<T>

/** The part of the Web Locks API that is used here. */
interface LockManager {
  request<T>(name: string, options: { signal?: AbortSignal }, work: () => Promise<T>): Promise<T>
}

/** One at a time within this client. */
export function createLocalLock(): Lock {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const turn = last.then(work)
    last = turn.catch(() => {})
    return turn
  }
}

/**
 * One at a time in all tabs of the origin, by the Web Locks API; within this client where there is none. The browser
 * releases the lock of a tab that dies. It is never stolen from one that lives: both would then do the work. After
 * `patienceMs` in the queue, a `network_error` instead.
 */
export function createSharedLock(name: string, patienceMs?: number): Lock {
  const { locks } = ((globalThis as { navigator?: object }).navigator ?? {}) as { locks?: LockManager }
  if (!locks) return createLocalLock()
  return async (work) => {
    const patience = patienceMs === undefined ? undefined : AbortSignal.timeout(patienceMs)
    let hasBegun = false
    const begin = (): ReturnType<typeof work> => {
      hasBegun = true
      return work()
    }
    try {
      return await locks.request(name, patience ? { signal: patience } : {}, begin)
    } catch (error) {
      throw hasBegun ? error : new KeywardError('network_error', { cause: error })
    }
  }
}
