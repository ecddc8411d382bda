import { untilAborted } from './abort.js'
import { createAuthorizedFetch } from './authorized-fetch.js'
import { isTokenCode, KeywardError } from './keyward-error.js'
import { createLocalLock, createSharedLock } from './lock.js'
import { createExchange, createRenew, REFRESH_PATIENCE_MS } from './refresh.js'
import { createSendRequest } from './request.js'
import { createSessionStore, isSession, isUser } from './session-store.js'
import { type ClientStorage, createStoredText } from './storage.js'
import type {
  LoginBody,
  LogoutAllBody,
  PasswordBody,
  ProfileBody,
  RegisterBody,
  Session,
  SessionEntry,
  SessionList,
  User,
} from './wire.js'

export interface ClientOptions {
  /** Where Keyward is, such as `https://auth.example.com`. */
  readonly url: string
  /** Where the session is kept; default in memory, where it ends with the page. Tabs with one `localStorage` share it. */
  readonly storage?: ClientStorage | undefined
  /** Origins of your own APIs, such as `https://api.example.com`, to which `fetch` sends the token; default none. */
  readonly apiOrigins?: readonly string[]
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

/** Every method rejects with a `KeywardError`, or with the reason of an aborted signal. */
export interface KeywardClient {
  /** Makes an account and logs it in. Ends the session held so far, as `login` does. */
  register(body: RegisterBody, options?: CallOptions): Promise<User>
  /** Ends the session held so far, once the new one is open; a refusal leaves it as it is. */
  login(body: LoginBody, options?: CallOptions): Promise<User>
  /**
   * Forgets the tokens at once, here and in every tab, then ends the session at Keyward. When it rejects, Keyward may
   * not have heard of it.
   */
  logout(options?: CallOptions): Promise<void>
  /**
   * Ends all sessions of the account, this one too unless `keep_current`. With `reauthentication_required`, Keyward
   * wants the password first: call `login`, then this again.
   */
  logoutAll(body?: LogoutAllBody, options?: CallOptions): Promise<void>
  readProfile(options?: CallOptions): Promise<User>
  updateProfile(body: ProfileBody, options?: CallOptions): Promise<User>
  listSessions(options?: CallOptions): Promise<readonly SessionEntry[]>
  /** Ends one session. With `reauthentication_required`: as `logoutAll`. */
  endSession(id: string, options?: CallOptions): Promise<void>
  /** Ends all other sessions. */
  changePassword(body: PasswordBody, options?: CallOptions): Promise<void>
  /** Who is logged in, by what is kept here; Keyward is not asked. */
  user(): Promise<User | null>
  /**
   * Calls back with the user now, and at every change: a log-in, a log-out, a new name or the end of the session, in
   * this tab or another. Returns what stops it.
   */
  onChange(listener: (user: User | null) => void): () => void
  /**
   * The global `fetch` for your own APIs: sends the access token, and once more with a new one when the API refuses it
   * with `error="invalid_token"` (RFC 6750 §3.1) or a code of Keyward's guard. Without a session it sends no token.
   * Rejects with a TypeError for an origin that is not in `apiOrigins`, and for a redirect, which could take the token
   * elsewhere.
   */
  readonly fetch: typeof globalThis.fetch
}

/** A client of one Keyward. A TypeError says that an address among the options cannot be one. */
export function createClient({ url, storage, apiOrigins = [] }: ClientOptions): KeywardClient {
  const base = new URL(url.endsWith('/') ? url : `${url}/`)
  const origins = new Set(apiOrigins.map(checkOrigin))
  const name = `keyward:${base.href}`
  const store = createSessionStore(
    createStoredText(storage, name),
    storage ? createSharedLock(`${name} store`) : createLocalLock(),
  )
  const send = createSendRequest(base)
  const exchange = createExchange(send)
  const renew = createRenew(
    store,
    exchange,
    storage ? createSharedLock(`${name} refresh`, REFRESH_PATIENCE_MS) : createLocalLock(),
  )

  async function open(operation: 'POST login' | 'POST register', body: object, options: CallOptions) {
    const held = await store.read()
    const token = held && { token: held.access_token }
    const session = await send<Session>(operation, { ...options, ...token, body, isReply: isSession })
    await store.update(() => session)
    return session.user
  }

  async function withToken<T>(
    { signal }: CallOptions,
    call: (credentials: { token: string; signal: AbortSignal | undefined }) => Promise<T>,
  ): Promise<T> {
    const session = await store.read()
    if (session === null) throw new KeywardError('not_authenticated')
    try {
      return await call({ token: session.access_token, signal })
    } catch (error) {
      if (!isRefusedToken(error)) throw error
      const renewed = await untilAborted(renew(session), signal)
      if (renewed === null) throw error
      return call({ token: renewed.access_token, signal })
    }
  }

  return {
    register: (body, options = {}) => open('POST register', body, options),
    login: (body, options = {}) => open('POST login', body, options),

    async logout({ signal } = {}) {
      const { before: session } = await store.update(() => null)
      if (session === null) return
      const end = (token: string): Promise<object> => send('POST logout', { token, signal })
      try {
        await end(session.access_token)
      } catch (error) {
        if (!isRefusedToken(error)) throw error
        const renewed = await untilAborted(exchange(session.refresh_token), signal)
        if (renewed !== null) await end(renewed.access_token)
      }
    },

    async logoutAll(body = {}, options = {}) {
      await withToken(options, async (credentials) => {
        await send('POST logout-all', { ...credentials, body })
        if (body.keep_current === true) return
        await store.update((now) => (now?.access_token === credentials.token ? null : now))
      })
    },

    readProfile: (options = {}) =>
      withToken(options, (credentials) => send<User>('GET profile', { ...credentials, isReply: isUser })),

    async updateProfile(body, options = {}) {
      const user = await withToken(options, (credentials) =>
        send<User>('PUT profile', { ...credentials, body, isReply: isUser }),
      )
      await store.update((now) => (now?.user.id === user.id ? { ...now, user } : now))
      return user
    },

    async listSessions(options = {}) {
      const { sessions } = await withToken(options, (credentials) =>
        send<SessionList>('GET sessions', credentials),
      )
      return sessions
    },

    async endSession(id, options = {}) {
      await withToken(options, (credentials) =>
        send(`DELETE sessions/${encodeURIComponent(id)}`, credentials),
      )
    },

    async changePassword(body, options = {}) {
      await withToken(options, (credentials) => send('POST password', { ...credentials, body }))
    },

    user: async () => (await store.read())?.user ?? null,
    onChange: store.onChange,
    fetch: createAuthorizedFetch(origins, store, renew),
  }
}

const isRefusedToken = (error: unknown): boolean => error instanceof KeywardError && isTokenCode(error.code)

/** As browsers write it: scheme, host and port alone. Anything else could let the token go where nobody meant it to. */
function checkOrigin(text: string): string {
  const { origin } = new URL(text)
  const isOrigin = origin === text && !text.includes('*')
  if (!isOrigin) throw new TypeError(`${text} is not an origin such as https://api.example.com`)
  return origin
}
