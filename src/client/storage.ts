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

/**
 * Storages fail: they are full, switched off or locked. What was written last is therefore also held in memory, and
 * takes the storage's place while that is not writable. Without a storage, memory is all there is.
 */
export function createStoredText(storage: ClientStorage | undefined, key: string): StoredText {
  let held: string | null = null
  let isDetached = storage === undefined

  return {
    async read() {
      if (isDetached) return held
      try {
        const found = (await storage?.getItem(key)) ?? null
        if (!isDetached) held = found
      } catch {
        // What was known before is the best there is.
      }
      return held
    },

    async write(text) {
      held = text
      try {
        if (text === null) await storage?.removeItem(key)
        else if (!isDetached) await storage?.setItem(key, text)
        isDetached = storage === undefined || (isDetached && text !== null)
      } catch {
        isDetached = true
        // A refresh token that is spent by now must not be found there later: using it would end the session.
        if (text !== null) await attempt(() => storage?.removeItem(key))
      }
    },
  }
}

async function attempt(work: () => unknown): Promise<void> {
  try {
    await work()
  } catch {
    // It was worth a try.
  }
}
