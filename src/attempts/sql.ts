import type { Queryable } from '../db/database.js'
import { type Attempt, type AttemptKeys, type AttemptStore, keysAt, type Place } from './attempt.js'
import { FAILURE_LIMITS, KNOWN_PLACE_SECONDS, waitsOf } from './limits.js'

const TAKE = 'select closed_until, known from keyward_take_attempt($1, $2, $3)'

// Rows are locked in the order of their keys, as in keyward_take_attempt(). What had been closed by this very attempt
// opens again; no other can have come since. A row without failures goes at once: whoever hangs up in time, with a new
// e-mail address each time, would leave two of them at every attempt and never be counted.
const givenBack = (isGone: string): string => `
  held as (
    select key, forgotten_at from keyward_password_attempts where key = any($1::bytea[]) order by key for update
  ), rest as (
    select key, forgotten_at - forgets_after * interval '1 second' as forgotten_at
      from unnest($1::bytea[], $2::integer[]) as taken (key, forgets_after) join held using (key)
  ), gone as (
    delete from keyward_password_attempts as attempt using rest where attempt.key = rest.key and (${isGone})
  ), given_back as (
    update keyward_password_attempts as attempt
       set forgotten_at = rest.forgotten_at, open_at = least(open_at, $3)
      from rest
     where attempt.key = rest.key and not (${isGone})
  )`

const HAS_NO_FAILURES = 'rest.forgotten_at <= $3'

const GIVE_BACK = `with ${givenBack(HAS_NO_FAILURES)} select 1`

// Written once a day at most, however often somebody logs in from there.
const remember = (place: string, now: string): string => `
  insert into keyward_known_places (key, last_login_at) values (${place}, ${now})
  on conflict (key) do update set last_login_at = excluded.last_login_at
   where keyward_known_places.last_login_at < excluded.last_login_at - interval '1 day'`

const REMEMBER = remember('$1', '$2')

const LIST_PLACES = `
  select key as pair from keyward_known_places where last_login_at > $1 order by last_login_at desc limit $2`

const SETTLE = `
  with ${givenBack(`${HAS_NO_FAILURES} or rest.key = $4`)}
  ${remember('$4', '$3')}`

const FORGET = `
  with held as (
    select key from keyward_password_attempts where key between $1 and $2 order by key for update
  )
  delete from keyward_password_attempts where key in (select key from held) returning 1`

const KINDS = ['pair', 'account', 'address'] as const
const RULES = KINDS.map((kind) => ({
  kind,
  waits: waitsOf(FAILURE_LIMITS[kind]),
  forgets_after: FAILURE_LIMITS[kind].forgetsOneAfterSeconds,
}))

export function createAttemptStore(database: Queryable): AttemptStore {
  return {
    async take(keys, now) {
      const knownSince = new Date(now.getTime() - KNOWN_PLACE_SECONDS * 1000)
      const [row] = await database.query<{ closed_until: Date | null; known: boolean }>(TAKE, [
        now.toISOString(),
        knownSince.toISOString(),
        toBuckets(keys),
      ])
      if (!row) throw new Error('keyward_take_attempt() returned nothing.')
      if (row.closed_until !== null) return { closedUntil: row.closed_until }
      return { keys, takenAt: now, isKnownPlace: row.known }
    },

    async giveBack(attempt) {
      await database.query(GIVE_BACK, takenValues(attempt))
    },

    async settle(attempt) {
      await database.query(SETTLE, [...takenValues(attempt), attempt.keys.pair])
    },

    async remember({ pair }, now) {
      await database.query(REMEMBER, [pair, now.toISOString()])
    },

    listPlaces: (since, limit) => database.query<Place>(LIST_PLACES, [since.toISOString(), limit]),

    async forget(account) {
      return (await database.query(FORGET, keysAt(account))).length > 0
    },
  }
}

function toBuckets(keys: AttemptKeys): string {
  return JSON.stringify(RULES.map(({ kind, ...rule }) => ({ ...rule, key: keys[kind].toString('hex') })))
}

/** Parameters `$1` to `$3`: the keys that counted it, how fast each forgets, when it was. */
function takenValues({ keys, takenAt, isKnownPlace }: Attempt): unknown[] {
  const rules = isKnownPlace ? RULES.slice(0, 1) : RULES
  return [rules.map(({ kind }) => keys[kind]), rules.map((rule) => rule.forgets_after), takenAt.toISOString()]
}
