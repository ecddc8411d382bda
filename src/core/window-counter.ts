/** How many there have been of this client in this window of time, this one included. */
export type WindowCounter = (client: string, window: number) => number

/**
 * Counts for one window at a time: nothing to expire, no timer, and the memory is that of a window's clients. Past
 * `maxClients` of them, further ones are not remembered: each time counts as their first.
 */
export function createWindowCounter(maxClients: number): WindowCounter {
  let counts = new Map<string, number>()
  let current = 0
  return (client, window) => {
    if (window !== current) {
      current = window
      counts = new Map()
    }
    const count = (counts.get(client) ?? 0) + 1
    if (count > 1 || counts.size < maxClients) counts.set(client, count)
    return count
  }
}
