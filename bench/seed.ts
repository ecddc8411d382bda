import { hash } from '@node-rs/bcrypt'
import { SignJWT } from 'jose'
import { randomUUID } from 'node:crypto'
import { BCRYPT_COST, PASSWORD, SECRET } from './servers/keyward.js'

/** Runs one statement on a database that Keyward has migrated. */
export type Sql = <Row extends object>(text: string, values?: readonly unknown[]) => Promise<Row[]>

export interface KnownUser {
  readonly id: string
  readonly email: string
  /** Of a live session. */
  readonly accessToken: string
}

export const KNOWN_USERS = 1_000
const DAY_SECONDS = 86_400

/** The hash that all users share: to make one for each would take minutes. */
export const passwordHash: Promise<string> = hash(PASSWORD, BCRYPT_COST)

/**
 * Makes `total` users and a live session for 1,000 of them, spread evenly over the table. Ends in quiet: no
 * autovacuum and no checkpoint is left to run into a measurement.
 */
export async function seedUsers(sql: Sql, total = KNOWN_USERS): Promise<KnownUser[]> {
  await sql(
    `insert into users (id, email, name, password_hash)
     select gen_random_uuid(), 'user-' || n || '@example.com', 'User ' || n, $1
       from generate_series(1, $2::int) as n`,
    [await passwordHash, total],
  )
  const sessions = await sql<{ session_id: string; user_id: string; email: string }>(
    `with chosen as (
       select id as user_id, email from generate_series(1, $1::int) as n
         join users on email = 'user-' || n * ($2::int / $1) || '@example.com'
     ), opened as (
       ${openSessionsOfChosen('now()')} returning id as session_id, user_id
     )
     select session_id, user_id, email from opened join chosen using (user_id)`,
    [KNOWN_USERS, total],
  )
  await sql('vacuum analyze')
  await sql('checkpoint')
  return Promise.all(
    sessions.map(async ({ session_id, user_id, email }) => ({
      id: user_id,
      email,
      accessToken: await signAccessToken(user_id, session_id, email),
    })),
  )
}

/** Opens `count` more sessions, for users in turn: live ones, or such as expired days ago and wait for the purge. */
export async function seedSessions(sql: Sql, count: number, state: 'live' | 'expired'): Promise<void> {
  await sql(
    `with ids as (select array_agg(id) as ids from users),
          chosen as (select ids[1 + n % cardinality(ids)] as user_id from ids, generate_series(1, $1::int) as n)
     ${openSessionsOfChosen(state === 'live' ? 'now()' : "now() - interval '32 days'")}`,
    [count],
  )
  await sql('vacuum analyze keyward_sessions')
  await sql('checkpoint')
}

/** One session for each row of `chosen (user_id)`. */
function openSessionsOfChosen(openedAt: string): string {
  return `
    insert into keyward_sessions (id, user_id, created_at, last_seen_at, idle_expires_at, expires_at,
                                  access_expires_at, address, user_agent, refresh_hash)
    select gen_random_uuid(), user_id, at, at, at + interval '14 days', at + interval '30 days',
           at + interval '7 days', '127.0.0.1', 'bench', sha256(gen_random_uuid()::text::bytea)
      from chosen, (select ${openedAt} as at) as moment`
}

async function signAccessToken(userId: string, sessionId: string, email: string): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({ email, sid: sessionId })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(userId)
    .setIssuer('keyward')
    .setIssuedAt(now)
    .setExpirationTime(now + 7 * DAY_SECONDS)
    .setJti(randomUUID())
    .sign(new TextEncoder().encode(SECRET))
}
