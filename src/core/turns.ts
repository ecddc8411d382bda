/** Runs what comes under one key one after another, and what comes under others beside it. */
export type InTurn = <T>(key: string, work: () => Promise<T>) => Promise<T>

export function createTurns(): InTurn {
  const lastOf = new Map<string, Promise<unknown>>()
  return async (key, work) => {
    const result = (lastOf.get(key) ?? Promise.resolve()).then(work)
    const done = result.catch(() => {})
    lastOf.set(key, done)
    try {
      return await result
    } finally {
      if (lastOf.get(key) === done) lastOf.delete(key)
    }
  }
}
