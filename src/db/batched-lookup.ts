/** Batches on their way at once: one is being answered while the next is made up. More were no faster. */
const MAX_IN_FLIGHT = 2
/** Keys in one statement. */
const MAX_KEYS = 500

interface Waiter<Row> {
  readonly resolve: (row: Row | null) => void
  readonly reject: (error: unknown) => void
}

/**
 * Look-ups by key that arrive in one turn of the event loop share one statement. Nothing is cached and nothing joins a
 * statement that is already on its way: every look-up sees the database as it is after it was asked.
 * `read` gets distinct keys and returns the rows it found, in any order.
 */
export function createBatchedLookup<Row>(
  read: (keys: string[]) => Promise<Row[]>,
  keyOf: (row: Row) => string,
): (key: string) => Promise<Row | null> {
  let waiting = new Map<string, Waiter<Row>[]>()
  let inFlight = 0
  let isScheduled = false

  function schedule(): void {
    if (isScheduled || inFlight >= MAX_IN_FLIGHT || waiting.size === 0) return
    isScheduled = true
    // After all that this turn of the loop has read from its sockets.
    setImmediate(() => {
      isScheduled = false
      void send(takeBatch())
    })
  }

  function takeBatch(): Map<string, Waiter<Row>[]> {
    const entries = [...waiting]
    waiting = new Map(entries.slice(MAX_KEYS))
    return new Map(entries.slice(0, MAX_KEYS))
  }

  async function send(batch: Map<string, Waiter<Row>[]>): Promise<void> {
    inFlight++
    try {
      const rows = await read([...batch.keys()])
      for (const row of rows) settle(batch, keyOf(row), row)
      for (const key of batch.keys()) settle(batch, key, null)
    } catch (error) {
      // Those who came meanwhile have waited as well; they must not wait for a second failure.
      for (const failed of [batch, takeBatch()]) {
        for (const waiters of failed.values()) for (const { reject } of waiters) reject(error)
      }
    } finally {
      inFlight--
      schedule()
    }
  }

  function settle(batch: Map<string, Waiter<Row>[]>, key: string, row: Row | null): void {
    for (const { resolve } of batch.get(key) ?? []) resolve(row)
    batch.delete(key)
  }

  return (key) =>
    new Promise((resolve, reject) => {
      const waiters = waiting.get(key)
      if (waiters) waiters.push({ resolve, reject })
      else waiting.set(key, [{ resolve, reject }])
      schedule()
    })
}
