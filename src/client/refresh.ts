import { KeywardError } from './keyward-error.js'
import type { Lock } from './lock.js'
import type { SendRequest } from './request.js'
import { isSession, type SessionStore } from './session-store.js'
import type { Session } from './wire.js'

/**
 * A second attempt must set out well within Keyward's `REFRESH_GRACE` of 10 s: later, the token that the first one may
 * have spent would end the session. It may then take its time, because its reply is the last chance.
 */
const ATTEMPT_MS = { first: 4_000, second: 15_000 }
/** Longer than another tab with the lock can take, its storage included. */
export const REFRESH_PATIENCE_MS = 30_000

/** Exchanges a refresh token (RFC 6749 §6); null when it is worth nothing any more. */
export type Exchange = (refreshToken: string) => Promise<Session | null>

export function createExchange(send: SendRequest): Exchange {
  const attempt = (which: keyof typeof ATTEMPT_MS, refreshToken: string): Promise<Session> =>
    send<Session>('POST refresh', {
      body: { refresh_token: refreshToken },
      isReply: isSession,
      signal: AbortSignal.timeout(ATTEMPT_MS[which]),
    }).catch((error: unknown) => {
      throw error instanceof KeywardError ? error : new KeywardError('network_error', { cause: error })
    })

  return async (refreshToken) => {
    try {
      return await attempt('first', refreshToken).catch((error: KeywardError) => {
        // Keyward gives the same new token again, for a moment, to whom the reply did not reach.
        if (error.code !== 'network_error' && error.code !== 'unexpected_reply') throw error
        return attempt('second', refreshToken)
      })
    } catch (error) {
      if ((error as KeywardError).code === 'invalid_refresh_token') return null
      throw error
    }
  }
}

/**
 * Finds a session to go on with after the access token of `refused` was refused: null when it has ended, or when
 * somebody else has logged in meanwhile. Rejects with a KeywardError, and leaves the session as it is, when that
 * cannot be learned now.
 */
export type Renew = (refused: Session) => Promise<Session | null>

export function createRenew(store: SessionStore, exchange: Exchange, lock: Lock): Renew {
  let underWay: { refused: string; renewed: Promise<Session | null> } | null = null

  /** Compare and exchange: a refresh token must be spent once, whoever else has seen the old access token refused. */
  async function renewOnce(refused: string): Promise<Session | null> {
    const current = await store.read()
    if (current?.access_token !== refused) return current
    const next = await exchange(current.refresh_token)
    // A log-out or another log-in since then stands.
    const { after } = await store.update((now) => (now?.refresh_token === current.refresh_token ? next : now))
    return after
  }

  function join(refused: string): Promise<Session | null> {
    if (underWay?.refused === refused) return underWay.renewed
    const mine = {
      refused,
      renewed: lock(() => renewOnce(refused)).finally(() => {
        if (underWay === mine) underWay = null
      }),
    }
    underWay = mine
    return mine.renewed
  }

  return async ({ access_token, user }) => {
    const session = await join(access_token)
    return session?.user.id === user.id ? session : null
  }
}
