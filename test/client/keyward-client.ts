import {
  type ClientOptions,
  type ClientStorage,
  createClient,
  type KeywardClient,
} from '../../src/client/index.js'
import { type Gateway, useGateway } from '../support/gateway.js'
import { PASSWORD, type TestApp, useTestApp } from '../support/test-app.js'

/** Seconds. The server's clock stands in 2099, so every test here runs with a clock that is decades off. */
export const ACCESS_TOKEN_TTL = 60

export interface KeywardForClients {
  readonly app: TestApp
  readonly gateway: Gateway
  /** Without a session. Clients with one storage are like tabs of one browser. */
  newClient(options?: Partial<ClientOptions>): KeywardClient
  /** Logged in, to an account of its own. */
  newUser(options?: Partial<ClientOptions>): Promise<LoggedIn>
  /** Lets every access token expire; refresh tokens stay good. */
  expireAccessTokens(): void
}

export interface LoggedIn {
  readonly client: KeywardClient
  readonly storage: ClientStorage & { readonly entries: Map<string, string> }
  readonly email: string
  readonly id: string
}

let users = 0

/** Keyward behind a gateway, for the tests of a file. */
export function useKeyward(environment: Readonly<Record<string, string>> = {}): KeywardForClients {
  const app = useTestApp({ environment: { ACCESS_TOKEN_TTL: `${ACCESS_TOKEN_TTL}`, ...environment } })
  const gateway = useGateway(() => app.server)
  const newClient = (options: Partial<ClientOptions> = {}): KeywardClient =>
    createClient({ url: gateway.url, ...options })
  return {
    app,
    gateway,
    newClient,
    async newUser(options) {
      const storage = createMapStorage()
      const client = newClient({ storage, ...options })
      const email = `client-${++users}@example.com`
      const { id } = await client.register({ email, name: 'Ada', password: PASSWORD })
      return { client, storage, email, id }
    },
    expireAccessTokens: () => app.passSeconds(ACCESS_TOKEN_TTL + 1),
  }
}

/** A storage like `localStorage`, which Node 20 has none of. */
export function createMapStorage(): LoggedIn['storage'] {
  const entries = new Map<string, string>()
  return {
    entries,
    getItem: (key) => entries.get(key) ?? null,
    setItem: (key, value) => void entries.set(key, value),
    removeItem: (key) => void entries.delete(key),
  }
}

/** What a promise was rejected with. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`resolved with ${JSON.stringify(value)} instead of failing`)
    },
    (error: unknown) => error,
  )
}
