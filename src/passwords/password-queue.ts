import { toAddressBlock, toNetwork } from '../core/address-block.js'
import { Refusal } from '../errors.js'
import { createFairLine, type FairLine } from './fair-line.js'
import { createHeldPlaces, type Origin } from './held-places.js'
import type { PasswordVerifier } from './password-hasher.js'

/** Who waits for a password to be hashed. */
export interface PasswordClient {
  readonly address: string
  /** Aborted when the client has hung up. */
  readonly signal: AbortSignal
  /** Has proved before, from there, to be who they claim to be. */
  readonly isKnown: boolean
}

/** What a place in the queue allows. */
export interface AdmittedVerifier extends PasswordVerifier {
  /** Waits for something else than a turn: like all who wait, it may have to make room for another address meanwhile. */
  standAside<T>(pause: Promise<T>): Promise<T>
}

export interface PasswordQueue {
  /**
   * Runs `work` with a place in the queue; its hashes wait for their turns there. Refuses at once with `overloaded`
   * when the wait would be too long: ask before anything that costs (ASVS 15.2.2). Who hangs up while waiting for a turn
   * loses the place; the `malformed_request` that ends their work is read by nobody.
   */
  admit<T>(client: PasswordClient, work: (verifier: AdmittedVerifier) => Promise<T>): Promise<T>
}

export interface PasswordQueueOptions {
  /** Passwords worked on at the same time. */
  readonly inFlight: number
  /** Who would have to wait longer than this, in milliseconds, is refused. */
  readonly maxWaitMs: number
  /** Milliseconds that only ever grow. */
  readonly monotonicMs: () => number
  /** Told of each refusal for want of room. */
  readonly onRefused: () => void
}

/** One admitted request. */
interface Place extends Origin {
  readonly isKnown: boolean
  readonly signal: AbortSignal
  /** On the monotonic clock; past it, waiting is over. */
  readonly overdueAtMs: number
}

interface Waiting {
  readonly place: Place
  readonly callUp: () => void
  readonly giveUp: (refusal: Refusal) => void
}

/** So many have a place however slow the hashes are, those at work included: any more, and all would wait too long. */
const MIN_PLACES = 16
/** More than these would fill the memory with their requests. */
const MAX_WAITING = 1_024
/** A wait can turn out longer than it looked: others may go first, the machine may slow down. So much longer at most. */
const PATIENCE = 3
/** Before any turn has been seen, nobody's patience is to end early. */
const SLOW_TURN_MS = 1_000
/** How much of the average the latest turn makes up, and how many times the average it may count for at most. */
const SMOOTHING = 0.1
const MAX_OUTLIER = 10
const MAX_RETRY_AFTER_SECONDS = 60

/**
 * Bounds how many passwords are hashed and how many wait: as many as can be hashed in `maxWaitMs` at the pace just seen.
 * When there is no room, the network with the most places gives one up for a network with fewer, and within a network so
 * does an address; alone, one may have them all. Of those that strangers have beyond half, a client that is known gets
 * one. Turns go round by address. A check takes one turn for all of its hashes: if it queued for each, an account whose
 * check takes several would stand out under load (ASVS 6.3.8).
 */
export function createPasswordQueue(
  verifier: PasswordVerifier,
  options: PasswordQueueOptions,
): PasswordQueue {
  const { inFlight, maxWaitMs, monotonicMs, onRefused } = options
  const line = createFairLine<Waiting>()
  const aside = createFairLine<Waiting>()
  const places = new Set<Place>()
  const held = createHeldPlaces()
  let running = 0
  let meanTurnMs: number | null = null
  /** On the monotonic clock: until then, half of the places are kept for clients that are known. */
  let keptUntilMs = Number.NEGATIVE_INFINITY

  /** How many there are, for those at work and those who wait. */
  function placesInAll(): number {
    const inTime = meanTurnMs === null ? 0 : Math.floor((maxWaitMs * inFlight) / meanTurnMs)
    return Math.max(inFlight + Math.min(inTime, MAX_WAITING), MIN_PLACES)
  }

  /** How long who comes now will wait, in milliseconds. */
  function expectedWaitMs(): number {
    return (Math.max(0, places.size - inFlight) * (meanTurnMs ?? SLOW_TURN_MS)) / inFlight
  }

  function overloaded(): Refusal {
    onRefused()
    const seconds = Math.max(1, Math.ceil(expectedWaitMs() / 1000))
    return new Refusal('overloaded', { retryAfterSeconds: Math.min(seconds, MAX_RETRY_AFTER_SECONDS) })
  }

  function takePlace({ address, signal, isKnown }: PasswordClient): Place {
    const origin = { block: toAddressBlock(address), network: toNetwork(address) }
    if (isFull()) dropOverdue()
    const isKept = !isKnown && isKeptForKnown()
    const isRoom = !isFull() && !isKept
    const hasRoom = isRoom || makeRoomFor(origin, isKept) || (isKnown && makeRoomForKnown(origin))
    if (!hasRoom) throw overloaded()
    const patienceMs = PATIENCE * Math.max(maxWaitMs, expectedWaitMs())
    const place = { ...origin, isKnown, signal, overdueAtMs: monotonicMs() + patienceMs }
    places.add(place)
    held.add(place)
    return place
  }

  const isFull = (): boolean => places.size >= placesInAll()
  const haveStrangersHalf = (all: number): boolean =>
    [...places].filter(({ isKnown }) => !isKnown).length >= all / 2
  const isKeptForKnown = (): boolean => monotonicMs() < keptUntilMs && haveStrangersHalf(placesInAll())

  function dropOverdue(): void {
    const now = monotonicMs()
    for (const waiting of [...line, ...aside])
      if (waiting.place.overdueAtMs < now) waiting.giveUp(overloaded())
  }

  function leavePlace(place: Place): void {
    if (places.delete(place)) held.remove(place)
  }

  /**
   * Whether one who waits had to make room: the last to come from where the most places are held; only a stranger where
   * the rest is kept for those who are known.
   */
  function makeRoomFor(origin: Origin, strangersOnly: boolean): boolean {
    for (const block of held.ahead(origin)) {
      const last = aside.lastOf(block) ?? line.lastOf(block)
      if (last === undefined || (strangersOnly && last.place.isKnown)) continue
      last.giveUp(overloaded())
      return true
    }
    return false
  }

  /**
   * The same for one place of each client: who guesses from many addresses must not shut out those who live here. Down
   * to half of the places, and the room above that is kept for a while: to be turned away late is worse than at once.
   */
  function makeRoomForKnown({ block }: Origin): boolean {
    if (held.has(block) || !haveStrangersHalf(places.size + 1)) return false
    const stranger = [...line, ...aside].findLast(({ place }) => !place.isKnown)
    if (stranger === undefined) return false
    keptUntilMs = monotonicMs() + maxWaitMs
    stranger.giveUp(overloaded())
    return true
  }

  /** Until somebody calls up who waits, as `onWaiting` may arrange. */
  function waitIn(
    where: FairLine<Waiting>,
    place: Place,
    onWaiting?: (waiting: Waiting) => void,
  ): Promise<void> {
    const { block, signal } = place
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        where.leave(block, waiting)
        signal.removeEventListener('abort', onHangUp)
      }
      const waiting: Waiting = {
        place,
        callUp() {
          leave()
          resolve()
        },
        giveUp(refusal) {
          leave()
          leavePlace(place)
          reject(refusal)
        },
      }
      const onHangUp = (): void => waiting.giveUp(new Refusal('malformed_request'))
      signal.addEventListener('abort', onHangUp)
      where.join(block, waiting)
      onWaiting?.(waiting)
    })
  }

  async function standAside<T>(place: Place, pause: Promise<T>): Promise<T> {
    await waitIn(aside, place, ({ callUp }) => void pause.then(callUp))
    return pause
  }

  async function inTurn<T>(place: Place, work: () => Promise<T>): Promise<T> {
    if (place.signal.aborted) throw new Refusal('malformed_request')
    // Nobody waits while this holds: a turn is handed over, not given back.
    if (running < inFlight) running++
    else await waitIn(line, place)
    const began = monotonicMs()
    try {
      const result = await work()
      notePace(monotonicMs() - began)
      return result
    } finally {
      passTurn()
    }
  }

  /** A process that was stopped for an hour has not become so slow. */
  function notePace(turnMs: number): void {
    if (meanTurnMs === null) meanTurnMs = turnMs
    else meanTurnMs += (Math.min(turnMs, MAX_OUTLIER * Math.max(meanTurnMs, 1)) - meanTurnMs) * SMOOTHING
  }

  function passTurn(): void {
    dropOverdue()
    const next = line.next()
    if (next) next.callUp()
    else running--
  }

  return {
    async admit(client, work) {
      const place = takePlace(client)
      try {
        return await work({
          hash: (password) => inTurn(place, () => verifier.hash(password)),
          verify: (password, storedHash) => inTurn(place, () => verifier.verify(password, storedHash)),
          standAside: (pause) => standAside(place, pause),
        })
      } finally {
        leavePlace(place)
      }
    },
  }
}
