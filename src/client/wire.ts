// What travels between a client and Keyward, as the schemas in `src/http` describe it. Written out by hand, so that the
// published types need nothing else; test/client/wire-types.ts does not compile when the two differ.

/** The account of whoever is logged in. */
export interface User {
  readonly id: string
  /** Lower-cased, with an international domain in its ASCII form. */
  readonly email: string
  readonly name: string
  readonly is_active: boolean
  /** ISO 8601, UTC. */
  readonly created_at: string
  /** ISO 8601, UTC. */
  readonly updated_at: string
}

/** The tokens of one session; whoever holds them is the user. */
export interface Session {
  /** A JWT, sent as `Authorization: Bearer …` (RFC 6750 §2.1). */
  readonly access_token: string
  readonly token_type: 'bearer'
  /** Life of the access token in seconds, from when it was issued. */
  readonly expires_in: number
  /** Good for one exchange. */
  readonly refresh_token: string
  readonly user: User
}

/** One of the places where the user is logged in. */
export interface SessionEntry {
  readonly id: string
  /** Whether it is the session that asks. */
  readonly current: boolean
  /** ISO 8601, UTC. */
  readonly created_at: string
  /** ISO 8601, UTC; to the minute or so. */
  readonly last_seen_at: string
  /** ISO 8601, UTC. */
  readonly expires_at: string
  /** The IP address where the log-in came from. */
  readonly address: string
  /** `User-Agent` of the log-in; empty when none was sent. */
  readonly user_agent: string
}

export interface SessionList {
  /** Newest first. */
  readonly sessions: readonly SessionEntry[]
}

export interface RegisterBody {
  readonly email: string
  /** 1 to 200 characters after trimming. */
  readonly name: string
  readonly password: string
}

export interface LoginBody {
  readonly email: string
  readonly password: string
}

export interface ProfileBody {
  /** Missing or null: unchanged. */
  readonly name?: string | null
}

export interface PasswordBody {
  readonly current_password: string
  readonly new_password: string
}

export interface LogoutAllBody {
  /** Let this very session go on; default false. */
  readonly keep_current?: boolean
}
