import { setTimeout as delay } from 'node:timers/promises'

const PATIENCE_MS = 20_000
const INTERVAL_MS = 20

/** Asks again and again until the answer is neither null nor false; gives up with an Error that says what for. */
export async function waitUntil<T>(
  what: string,
  ask: () => Promise<T | null | false> | T | null | false,
): Promise<T> {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    const answer = await ask()
    if (answer !== null && answer !== false) return answer
    if (performance.now() > until) throw new Error(`waited in vain: ${what}`)
    await delay(INTERVAL_MS)
  }
}
