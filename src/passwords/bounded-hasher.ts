import { Refusal } from '../errors.js'
import type { PasswordHasher } from './password-hasher.js'

interface Bounds {
  /** Passwords worked on at the same time. Below libuv's four threads, so that files and DNS never wait for them. */
  readonly inFlight: number
  /** Passwords that may wait for their turn; past it, a request is refused at once (ASVS 15.2.2). */
  readonly waiting: number
}

const RETRY_AFTER_SECONDS = 2

/**
 * The same hasher, but never more than `inFlight` passwords at once and never more than `waiting` in the queue. A check
 * takes one turn for all of its hashes: if it queued for each, an account whose check takes several would stand out
 * under load.
 */
export function boundHasher(hasher: PasswordHasher, bounds: Bounds): PasswordHasher {
  const queue: (() => void)[] = []
  let running = 0

  const takeTurn = (): Promise<void> => {
    if (running < bounds.inFlight) {
      running++
      return Promise.resolve()
    }
    if (queue.length >= bounds.waiting) {
      return Promise.reject(new Refusal('overloaded', { retryAfterSeconds: RETRY_AFTER_SECONDS }))
    }
    return new Promise((resolve) => queue.push(resolve))
  }

  // The turn is handed over, not given back: `running` only falls when nobody waits.
  const passTurn = (): void => {
    const next = queue.shift()
    if (next) next()
    else running--
  }

  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    await takeTurn()
    try {
      return await work()
    } finally {
      passTurn()
    }
  }

  return {
    hash: (password) => inTurn(() => hasher.hash(password)),
    verify: (password, storedHash) => inTurn(() => hasher.verify(password, storedHash)),
  }
}
