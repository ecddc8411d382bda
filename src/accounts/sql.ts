import { createBatchedLookup } from '../db/batched-lookup.js'
import { nextUpdatedAt } from '../db/updated-at.js'
import type { Queryable } from '../db/database.js'
import type { Account, AccountStore, CredentialStore, StoredCredentials } from './account.js'

export interface AccountRow {
  id: string
  email: string
  name: string
  is_active: boolean
  created_at: Date
  updated_at: Date
}

interface CredentialRow extends AccountRow {
  password_hash: string
  password_expires_at: Date | null
}

export const ACCOUNT_COLUMNS = 'id, email, name, is_active, created_at, updated_at'

/**
 * `$1`: all spellings of an address, `$2`: the one that counts where another stack has made an account of each. The
 * expression must stay that of the index `keyward_users_email`.
 */
export const BY_EMAIL = `
   where lower(email collate "C") = any($1::text[])
   order by lower(email collate "C") = $2 desc
   limit 1`

/** Accounts, each with `generated.expires_at` where its password is still the one that was generated. */
export const USERS_AND_GENERATED = `
  users left join keyward_generated_passwords as generated
    on generated.user_id = users.id and generated.generated_hash = users.password_hash`

const CREDENTIALS = `
  select ${ACCOUNT_COLUMNS}, password_hash, generated.expires_at as password_expires_at
    from ${USERS_AND_GENERATED}`

export const FIND_BY_EMAIL = `${CREDENTIALS} ${BY_EMAIL}`

const FIND_CREDENTIALS_BY_ID = `${CREDENTIALS} where id = $1`

const FIND_BY_IDS = `select ${ACCOUNT_COLUMNS} from users where id = any($1)`

/** The expression of the index `keyward_users_hash_kind`. */
const HASH_BEGINNING = String.raw`
  (substring(password_hash from '^(\$2[aby]\$\d\d|\$bcrypt-sha256\$[^$]+|\$argon2id\$v=19\$[^$]+)\$') collate "C")`

// From each to the next one in the index: a glance for each, however large the table. A table has few; one that has
// more holds what nobody has configured.
export const LIST_HASH_BEGINNINGS = `
  with recursive kinds (beginning) as (
    select min(${HASH_BEGINNING}) from users
    union all
    select (select min(${HASH_BEGINNING}) from users where ${HASH_BEGINNING} > beginning)
      from kinds where beginning is not null
  )
  select beginning from kinds where beginning is not null limit 100`

const INSERT = `
  insert into users (id, email, name, password_hash, is_active, created_at, updated_at)
  values ($1, $2, $3, $4, true, $5, $6)
  on conflict do nothing
  returning ${ACCOUNT_COLUMNS}`

const RENAME = `
  update users
     set name = $2, updated_at = ${nextUpdatedAt('$3')}
   where id = $1 and is_active
  returning ${ACCOUNT_COLUMNS}`

const REPLACE_HASH = `
  with replaced as (
    update users set password_hash = $3 where id = $1 and password_hash = $2 returning id, password_hash
  ), still_generated as (
    update keyward_generated_passwords set generated_hash = replaced.password_hash
      from replaced where user_id = replaced.id and generated_hash = $2
  )
  select id from replaced`

export function createAccountStore(database: Queryable): AccountStore & CredentialStore {
  const lookUp = createBatchedLookup(
    (ids) => database.query<AccountRow>(FIND_BY_IDS, [ids], { prepare: true }),
    (row) => row.id,
  )
  return {
    async insert({ id, email, name, passwordHash, createdAt }) {
      // ISO text means the same instant to both timestamp types; a Date would be sent in local time.
      const created = createdAt.toISOString()
      const [row] = await database.query<AccountRow>(INSERT, [
        id,
        email,
        name,
        passwordHash,
        created,
        created,
      ])
      return row ? toAccount(row) : null
    },

    async isEmailTaken(lookupKeys) {
      const rows = await database.query(FIND_BY_EMAIL, [lookupKeys, lookupKeys[0]])
      return rows.length > 0
    },

    async findById(id) {
      const row = await lookUp(id)
      return row ? toAccount(row) : null
    },

    async rename(id, name, now) {
      const [row] = await database.query<AccountRow>(RENAME, [id, name, now.toISOString()])
      return row ? toAccount(row) : null
    },

    async findCredentials(lookupKeys, now) {
      const [row] = await database.query<CredentialRow>(FIND_BY_EMAIL, [lookupKeys, lookupKeys[0]])
      return row ? toCredentials(row, now) : null
    },

    async findCredentialsById(id, now) {
      const [row] = await database.query<CredentialRow>(FIND_CREDENTIALS_BY_ID, [id])
      return row ? toCredentials(row, now) : null
    },

    async listHashBeginnings() {
      const rows = await database.query<{ beginning: string }>(LIST_HASH_BEGINNINGS)
      return rows.map(({ beginning }) => beginning)
    },

    async replaceHash(id, verifiedHash, newHash) {
      return (await database.query(REPLACE_HASH, [id, verifiedHash, newHash])).length > 0
    },
  }
}

/** Says in the transaction that sets a password until when it is good; null for one that somebody has chosen. */
export async function setPasswordExpiry(
  transaction: Queryable,
  userId: string,
  passwordHash: string,
  expiresAt: Date | null,
): Promise<void> {
  await transaction.query('delete from keyward_generated_passwords where user_id = $1', [userId])
  if (expiresAt === null) return
  await transaction.query(
    'insert into keyward_generated_passwords (user_id, generated_hash, expires_at) values ($1, $2, $3)',
    [userId, passwordHash, expiresAt.toISOString()],
  )
}

function toCredentials(row: CredentialRow, now: Date): StoredCredentials {
  const { password_hash: passwordHash, password_expires_at: expiresAt } = row
  const hasExpired = expiresAt !== null && expiresAt.getTime() <= now.getTime()
  return { account: toAccount(row), passwordHash: hasExpired ? null : passwordHash }
}

export function toAccount(row: AccountRow): Account {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    isActive: row.is_active,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
