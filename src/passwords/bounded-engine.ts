import { Refusal } from '../errors.js'
import type { HashEngine } from './hash-engine.js'

interface Bounds {
  /** Hashes computed at the same time. Below libuv's four threads, so that files and DNS never wait for hashing. */
  readonly inFlight: number
  /** Hashes that may wait for their turn; past it, a request is refused at once (ASVS 15.2.2). */
  readonly waiting: number
}

const RETRY_AFTER_SECONDS = 2

/** The same engine, but never more than `inFlight` hashes at once and never more than `waiting` in the queue. */
export function boundEngine(engine: HashEngine, bounds: Bounds): HashEngine {
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
    bcryptHash: (key, cost, salt) => inTurn(() => engine.bcryptHash(key, cost, salt)),
    bcryptVerify: (key, hash) => inTurn(() => engine.bcryptVerify(key, hash)),
    argon2idHash: (password) => inTurn(() => engine.argon2idHash(password)),
    argon2idVerify: (password, phc) => inTurn(() => engine.argon2idVerify(password, phc)),
  }
}
