import { ACCOUNT_COLUMNS, type AccountRow, setPasswordExpiry, toAccount } from '../accounts/sql.js'
import type { Database, Queryable } from '../db/database.js'
import { nextUpdatedAt } from '../db/updated-at.js'
import type { EndReason, RotationOutcome, Session, SessionStore } from './session.js'

// The lock on the account makes this statement and a change of password or state wait for each other: whichever comes
// second sees the first, so no session outlives the password that opened it. The account of the session that is
// replaced is locked for the same reason as in END; it is mostly the same one.
const OPEN = `
  with accounts as (
    select id, id = $2 and is_active and password_hash = $3 as may_enter
      from users where id in ($2, $11::uuid) for share
  ), opened as (
    insert into keyward_sessions (
      id, user_id, created_at, last_seen_at, idle_expires_at, expires_at, access_expires_at,
      address, user_agent, refresh_hash
    )
    select $1::uuid, id, $4::timestamptz, $4::timestamptz, $5::timestamptz, $6::timestamptz, $7::timestamptz,
           $8::text, $9::text, $10::bytea
      from accounts where may_enter
    returning id
  ), replaced as (
    update keyward_sessions set ended_at = $4::timestamptz, end_reason = 'replaced'
     where id = $12::uuid and user_id = $11::uuid and ended_at is null and exists (select from opened)
  )
  insert into keyward_refresh_tokens (token_hash, session_id, created_at)
  select $10::bytea, id, $4::timestamptz from opened
  returning session_id`

// One row, the session's, decides, and it is locked before it is judged: of parallel uses of one token exactly one
// finds it current. The table of all tokens only leads from a spent token to its session. The grace
// reaches as far into the future as into the past, for a node whose clock is ahead; a grace of 0 means none.
const ROTATE = `
  with target as (
    select session_id from keyward_refresh_tokens where token_hash = $1
  ), held as (
    select id, refresh_hash, parent_hash, rotated_at
      from keyward_sessions
     where id = (select session_id from target)
       and ended_at is null and expires_at > $4 and idle_expires_at > $4
       and exists (select from users where users.id = user_id and is_active)
       for update
  ), judged as (
    select id,
           case when refresh_hash = $1 then 'rotated'
                when parent_hash = $1 and rotated_at > $7 and rotated_at - $4 < $4 - $7 then 'repeated'
                else 'reused' end as outcome
      from held
  ), changed as (
    update keyward_sessions as session
       set refresh_hash = case outcome when 'rotated' then $2::bytea else refresh_hash end,
           parent_hash = case outcome when 'rotated' then $1 else parent_hash end,
           sealed_refresh = case outcome when 'rotated' then $3::bytea else sealed_refresh end,
           rotated_at = case outcome when 'rotated' then $4 else rotated_at end,
           idle_expires_at = case outcome when 'rotated' then $5::timestamptz else idle_expires_at end,
           access_expires_at = case outcome when 'reused' then access_expires_at
                               else greatest(access_expires_at, least($6::timestamptz, expires_at)) end,
           ended_at = case outcome when 'reused' then $4 end,
           end_reason = case outcome when 'reused' then 'refresh_token_reused' end
      from judged
     where session.id = judged.id
    returning session.id as session_id, user_id, outcome, sealed_refresh, least($6, expires_at) as token_expires_at
  ), remembered as (
    insert into keyward_refresh_tokens (token_hash, session_id, created_at)
    select $2, session_id, $4 from changed where outcome = 'rotated'
  )
  select session_id, outcome, sealed_refresh, token_expires_at, ${ACCOUNT_COLUMNS}
    from changed join users on users.id = user_id`

const OPENED_AT = 'select created_at from keyward_sessions where id = $1'

const LIST = `
  select id, created_at, last_seen_at, expires_at, address, user_agent
    from keyward_sessions
   where user_id = $1 and ended_at is null and greatest(least(expires_at, idle_expires_at), access_expires_at) > $2
   order by created_at desc, id
   limit 1000`

// Rows are locked in one order, so that two endings of many sessions cannot wait for each other. A disabling and a
// deletion lock them as they come; the lock on the account keeps those and this apart.
const END = `
  with account as (select id from users where id = $1 for share)
  update keyward_sessions set ended_at = $3, end_reason = $4
   where id in (
     select id from keyward_sessions
      where user_id = (select id from account) and ended_at is null and ($2::uuid is null or id = $2) and ($5::uuid is null or id <> $5)
      order by id for update)
  returning id`

// What somebody else holds is being refreshed or ended: not worth waiting for.
const TOUCH = `
  update keyward_sessions set last_seen_at = $2
   where id in (
     select id from keyward_sessions where id = any($1::uuid[]) and last_seen_at < $2 for update skip locked)`

interface SessionRow {
  id: string
  created_at: Date
  last_seen_at: Date
  expires_at: Date
  address: string
  user_agent: string
}

interface RotationRow extends AccountRow {
  session_id: string
  outcome: 'rotated' | 'repeated' | 'reused'
  sealed_refresh: Buffer
  token_expires_at: Date
}

export function createSessionStore(database: Database): SessionStore {
  return {
    async open(session) {
      const rows = await database.query(OPEN, [
        session.id,
        session.userId,
        session.verifiedHash,
        session.now.toISOString(),
        session.idleExpiresAt.toISOString(),
        session.expiresAt.toISOString(),
        session.accessExpiresAt.toISOString(),
        session.address,
        session.userAgent,
        session.refreshHash,
        session.replaces?.userId ?? null,
        session.replaces?.id ?? null,
      ])
      return rows.length > 0
    },

    async rotate(rotation) {
      const [row] = await database.query<RotationRow>(ROTATE, [
        rotation.presentedHash,
        rotation.nextHash,
        rotation.sealedNext,
        rotation.now.toISOString(),
        rotation.idleExpiresAt.toISOString(),
        rotation.accessExpiresAt.toISOString(),
        rotation.repeatableSince.toISOString(),
      ])
      return row ? toOutcome(row) : { outcome: 'gone' }
    },

    async openedAt(sessionId) {
      const [row] = await database.query<Pick<SessionRow, 'created_at'>>(OPENED_AT, [sessionId])
      return row?.created_at ?? null
    },

    async list(userId, now) {
      return (await database.query<SessionRow>(LIST, [userId, now.toISOString()])).map(toSession)
    },

    async end(userId, sessionId, reason, now) {
      return (await endSessions(database, userId, { only: sessionId, reason, now })) > 0
    },

    async endAll(userId, exceptId, reason, now) {
      return endSessions(database, userId, { except: exceptId, reason, now })
    },

    // The sessions apart, because that statement must see every session that opened before the first got its lock.
    async replacePassword({ userId, verifiedHash, newHash, exceptSessionId, now }) {
      return database.transaction(async (transaction) => {
        const replaced = await transaction.query(
          `update users set password_hash = $3, updated_at = ${nextUpdatedAt('$4')}
            where id = $1 and password_hash = $2 and is_active returning id`,
          [userId, verifiedHash, newHash, now.toISOString()],
        )
        if (replaced.length === 0) return false
        await setPasswordExpiry(transaction, userId, newHash, null)
        await endSessions(transaction, userId, { except: exceptSessionId, reason: 'password_changed', now })
        return true
      })
    },

    async touch(ids, now) {
      await database.query(TOUCH, [ids, now.toISOString()])
    },
  }
}

interface Ending {
  readonly only?: string
  readonly except?: string | null
  readonly reason: EndReason
  readonly now: Date
}

async function endSessions(queryable: Queryable, userId: string, ending: Ending): Promise<number> {
  const { only = null, except = null, reason, now } = ending
  return (await queryable.query(END, [userId, only, now.toISOString(), reason, except])).length
}

/** Ends all sessions of a user, in a transaction of another feature as well; returns how many. */
export function endAllSessions(
  queryable: Queryable,
  userId: string,
  reason: EndReason,
  now: Date,
): Promise<number> {
  return endSessions(queryable, userId, { reason, now })
}

function toSession(row: SessionRow): Session {
  return {
    id: row.id,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    expiresAt: row.expires_at,
    address: row.address,
    userAgent: row.user_agent,
  }
}

function toOutcome(row: RotationRow): RotationOutcome {
  const { outcome, session_id: sessionId, token_expires_at: accessExpiresAt } = row
  if (outcome === 'reused') return { outcome, sessionId, userId: row.id }
  const refreshed = { sessionId, accessExpiresAt, account: toAccount(row) }
  return outcome === 'rotated'
    ? { outcome, ...refreshed }
    : { outcome, ...refreshed, sealedCurrent: row.sealed_refresh }
}
