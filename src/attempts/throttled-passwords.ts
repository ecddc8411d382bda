import type { RequestContext } from '../core/auth-event.js'
import type { Clock } from '../core/clock.js'
import { Refusal } from '../errors.js'
import type { PasswordVerdict, PasswordVerifier } from '../passwords/password-hasher.js'
import type { AdmittedVerifier, PasswordQueue } from '../passwords/password-queue.js'
import type { Attempt, AttemptKeys, AttemptKeysOf, AttemptStore } from './attempt.js'
import { createCrowds } from './crowd.js'
import type { RecentPlaces } from './recent-places.js'

interface WithHash {
  /** Null for what no password matches. */
  readonly passwordHash: string | null
}

/** Somebody's claim to know the password of an account, whether or not there is one. */
export interface Claim<Found> {
  readonly email: string
  readonly password: string
  /** Not called for an attempt that is refused. */
  readonly find: () => Promise<Found | null>
}

export interface CheckedClaim<Found> extends PasswordVerdict {
  readonly found: Found | null
}

/** One admitted request. */
export interface AdmittedPasswords {
  hash(password: string): Promise<string>
  /** Counts an attempt, then looks up, then compares. Refusal: `too_many_attempts`, before anything is looked up. */
  check<Found extends WithHash>(claim: Claim<Found>): Promise<CheckedClaim<Found>>
}

/** Who asks for a place. */
export interface Applicant extends RequestContext {
  /** Whose password it is about, where that is known before the database is asked. */
  readonly email?: string
  /** Holds a session of the account that it is about. */
  readonly isSignedIn?: boolean
}

/**
 * The only way to a password's check: whatever asks for one - log-in, change of password - shares the same counts
 * (ASVS 6.3.1).
 */
export interface ThrottledPasswords {
  /**
   * Runs `work` with a place in the queue, in which a stranger makes room for who has logged in from there before.
   * Refusal: `overloaded`, at once.
   */
  admit<T>(applicant: Applicant, work: (passwords: AdmittedPasswords) => Promise<T>): Promise<T>
  /** Where an account was made, its owner counts as known from then on. */
  rememberPlace(email: string, context: RequestContext): Promise<void>
}

export interface Throttle {
  readonly attempts: AttemptStore
  readonly recentPlaces: RecentPlaces
  readonly keysOf: AttemptKeysOf
  readonly clock: Clock
  readonly onRefused: (context: RequestContext) => void
}

/** Without a throttle, attempts are neither counted nor refused. */
export function createThrottledPasswords(
  queue: PasswordQueue,
  throttle: Throttle | null,
): ThrottledPasswords {
  const check =
    throttle === null
      ? <Found extends WithHash>(verifier: PasswordVerifier, claim: Claim<Found>) => compare(verifier, claim)
      : createThrottledCheck(throttle)
  const isKnown = ({ email, address, isSignedIn = false }: Applicant): boolean =>
    isSignedIn ||
    (throttle !== null && email !== undefined && throttle.recentPlaces.has(throttle.keysOf(email, address)))
  return {
    admit: (applicant, work) =>
      queue.admit({ ...applicant, isKnown: isKnown(applicant) }, (verifier) =>
        work({
          hash: (password) => verifier.hash(password),
          check: (claim) => check(verifier, claim, applicant),
        }),
      ),
    async rememberPlace(email, { address }) {
      if (throttle === null) return
      const place = throttle.keysOf(email, address)
      await throttle.attempts.remember(place, new Date(throttle.clock()))
      throttle.recentPlaces.note(place)
    },
  }
}

async function compare<Found extends WithHash>(
  verifier: PasswordVerifier,
  { password, find }: Claim<Found>,
): Promise<CheckedClaim<Found>> {
  const found = await find()
  return { found, ...(await verifier.verify(password, found?.passwordHash ?? null)) }
}

function createThrottledCheck({ attempts, recentPlaces, keysOf, clock, onRefused }: Throttle) {
  const inCrowd = createCrowds()

  async function take(keys: AttemptKeys): Promise<Attempt> {
    const now = clock()
    const taken = await attempts.take(keys, new Date(now))
    if (!('closedUntil' in taken)) {
      // Learnt through another node, or too long ago to be among the latest.
      if (taken.isKnownPlace) recentPlaces.note(keys)
      return taken
    }
    throw new Refusal('too_many_attempts', {
      retryAfterSeconds: Math.ceil((taken.closedUntil.getTime() - now) / 1000),
    })
  }

  return async <Found extends WithHash>(
    verifier: AdmittedVerifier,
    claim: Claim<Found>,
    context: RequestContext,
  ): Promise<CheckedClaim<Found>> => {
    const keys = keysOf(claim.email, context.address)
    const attemptOnce = async (noteGivenBack: () => void): Promise<CheckedClaim<Found>> => {
      const attempt = await take(keys)
      const checked = await compare(verifier, claim).catch(async (error: unknown) => {
        // Overload, a hang-up, the database away: nothing was learnt. If it cannot be given back either, it counts.
        await attempts.giveBack(attempt).then(noteGivenBack, () => {})
        throw error
      })
      if (!checked.matches) return checked
      await attempts.settle(attempt)
      recentPlaces.note(keys)
      noteGivenBack()
      return checked
    }
    try {
      return await inCrowd(keys.pair.toString('hex'), verifier.standAside, attemptOnce)
    } catch (error) {
      if (error instanceof Refusal && error.code === 'too_many_attempts') onRefused(context)
      throw error
    }
  }
}
