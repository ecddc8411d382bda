import {
  type AccountRow,
  BY_EMAIL,
  setPasswordExpiry,
  toAccount,
  USERS_AND_GENERATED,
} from '../accounts/sql.js'
import type { Database, Queryable } from '../db/database.js'
import { nextUpdatedAt } from '../db/updated-at.js'
import { endAllSessions } from '../sessions/sql.js'
import type { User, UserStore } from './user.js'

interface UserRow extends AccountRow {
  live_sessions: number
  password_expires_at: Date | null
}

const USER = `
  select id, email, name, is_active, created_at, updated_at,
         (select count(*)::int from keyward_sessions where user_id = users.id and ended_at is null
             and greatest(least(expires_at, idle_expires_at), access_expires_at) > now()) as live_sessions,
         generated.expires_at as password_expires_at
    from ${USERS_AND_GENERATED}`

const PAGE = `${USER}
   where $1::uuid is null or id > $1
   order by id limit $2`

export function createUserStore(database: Database): UserStore {
  return {
    async list({ afterId, limit }) {
      return (await database.query<UserRow>(PAGE, [afterId, limit])).map(toUser)
    },

    async find(by) {
      const [row] =
        'id' in by
          ? await database.query<UserRow>(`${USER} where id = $1`, [by.id])
          : await database.query<UserRow>(`${USER} ${BY_EMAIL}`, [by.lookupKeys, by.lookupKeys[0]])
      return row ? toUser(row) : null
    },

    // A trigger ends the sessions of whoever gets disabled, whoever does it.
    async setActive(id, isActive, now) {
      return change(
        database,
        `update users set is_active = $2, updated_at = ${nextUpdatedAt('$3')}
          where id = $1 returning id`,
        [id, isActive, now.toISOString()],
      )
    },

    // The sessions go by cascade, and a trigger puts them into the feed.
    async delete(id) {
      return change(database, 'delete from users where id = $1 returning id', [id])
    },

    async setPassword(id, passwordHash, expiresAt, now) {
      return database.transaction(async (transaction) => {
        const found = await change(
          transaction,
          `update users set password_hash = $2, updated_at = ${nextUpdatedAt('$3')}
            where id = $1 returning id`,
          [id, passwordHash, now.toISOString()],
        )
        if (!found) return false
        await setPasswordExpiry(transaction, id, passwordHash, expiresAt)
        await endAllSessions(transaction, id, 'password_changed', now)
        return true
      })
    },

    async logout(id, now) {
      return endAllSessions(database, id, 'ended_by_operator', now)
    },
  }
}

async function change(queryable: Queryable, sql: string, values: readonly unknown[]): Promise<boolean> {
  return (await queryable.query(sql, values)).length > 0
}

function toUser(row: UserRow): User {
  return {
    ...toAccount(row),
    liveSessions: row.live_sessions,
    passwordExpiresAt: row.password_expires_at,
  }
}
