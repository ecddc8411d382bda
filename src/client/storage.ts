import { untilAborted } from './abort.js'

/** Where a client keeps its session: `localStorage`, or anything of that form, asynchronous or not. */
export interface ClientStorage {
  getItem(key: string): string | null | Promise<string | null>
  setItem(key: string, value: string): unknown
  removeItem(key: string): unknown
}

/** One entry of a storage; neither method ever fails. */
export interface StoredText {
  read(): Promise<string | null>
  write(text: string | null): Promise<void>
}

/** An asynchronous storage may never answer; whoever waits for it holds locks that other tabs wait for. */
const PATIENCE_MS = 2_000

/**
 * Storages fail: they are full, switched off, locked or hang. What was written last is therefore also held in memory,
 * and takes the storage's place while that is not writable. Without a storage, memory is all there is.
 */
export function createStoredText(storage: ClientStorage | undefined, key: string): StoredText {
  let held: string | null = null
  let isDetached = storage === undefined

  return {
    async read() {
      if (isDetached) return held
      try {
        const found = (await inTime(storage?.getItem(key))) ?? null
        if (!isDetached) held = found
      } catch {
        // What was known before is the best there is.
      }
      return held
    },

    async write(text) {
      held = text
      try {
        if (text === null) await inTime(storage?.removeItem(key))
        else if (!isDetached) await inTime(storage?.setItem(key, text))
        isDetached = storage === undefined || (isDetached && text !== null)
      } catch {
        isDetached = true
        // A refresh token that is spent by now must not be found there later: using it would end the session.
        if (text !== null) await attempt(() => inTime(storage?.removeItem(key)))
      }
    },
  }
}

async function inTime<T>(answer: T | Promise<T>): Promise<T> {
  return answer instanceof Promise ? untilAborted(answer, AbortSignal.timeout(PATIENCE_MS)) : answer
}

async function attempt(work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch {
    // It was worth a try.
  }
}
