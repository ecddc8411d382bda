import type { Lock } from './lock.js'
import { parseJson } from './request.js'
import type { StoredText } from './storage.js'
import type { Session, User } from './wire.js'

type UserListener = (user: User | null) => void

/** The session of this client and of every other tab with the same storage. Nothing is cached: they all change it. */
export interface SessionStore {
  read(): Promise<Session | null>
  /** Replaces the session by what `change` makes of it, while no other tab does; resolves with both. */
  update(
    change: (current: Session | null) => Session | null,
  ): Promise<{ before: Session | null; after: Session | null }>
  /** Tells the user now, and whenever it is another one or has changed, wherever that happened. */
  onChange(listener: UserListener): () => void
}

export function createSessionStore(stored: StoredText, lock: Lock): SessionStore {
  const listeners = new Set<UserListener>()
  let writes = 0

  function tell(session: Session | null): void {
    for (const listener of listeners) listener(session?.user ?? null)
  }

  async function read(): Promise<Session | null> {
    const asOf = writes
    const session = parseSession(await stored.read())
    // A slow storage may answer with what has been overwritten meanwhile.
    if (asOf === writes) tell(session)
    return session
  }

  return {
    read,

    update: (change) =>
      lock(async () => {
        const before = await read()
        const after = change(before)
        if (after === before) return { before, after }
        writes++
        await stored.write(after && JSON.stringify(after))
        tell(after)
        return { before, after }
      }),

    onChange(listener) {
      const tellNews = onlyNews(listener)
      const look = (): void => void read()
      listeners.add(tellNews)
      // `storage`: another tab has written. `pageshow`: this page comes back from the back-forward cache.
      for (const event of ['storage', 'pageshow']) page.addEventListener?.(event, look)
      look()
      return () => {
        listeners.delete(tellNews)
        for (const event of ['storage', 'pageshow']) page.removeEventListener?.(event, look)
      }
    },
  }
}

/** The browser's window; elsewhere there is nothing to hear. */
const page = globalThis as Partial<Pick<EventTarget, 'addEventListener' | 'removeEventListener'>>

/** Calls back on its own stack, so that neither an error nor a wait in the listener reaches the work that told it. */
function onlyNews(listener: UserListener): UserListener {
  let told: string | undefined
  return (user) => {
    const news = JSON.stringify(user)
    if (news === told) return
    told = news
    queueMicrotask(() => listener(user))
  }
}

function parseSession(text: string | null): Session | null {
  const value = text === null ? null : parseJson(text)
  return isSession(value) ? value : null
}

/** Whether it can be used as a session: what a storage holds may be damaged or somebody else's. */
export function isSession(value: unknown): value is Session {
  const { access_token, refresh_token, user } = (value ?? {}) as Partial<Session>
  return typeof access_token === 'string' && typeof refresh_token === 'string' && isUser(user)
}

export function isUser(value: unknown): value is User {
  return typeof (value as Partial<User> | null | undefined)?.id === 'string'
}
