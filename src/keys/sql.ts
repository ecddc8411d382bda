import { CLOCK_MARGIN_SECONDS } from '../core/clock.js'
import type { AsymmetricAlgorithm } from '../core/signing-key.js'
import type { Database, Queryable } from '../db/database.js'
import type { NewKey, SigningKeyStore, StoredKeys } from './store.js'
import { KEY_PROPAGATION_SECONDS, planRetirement, type StoredKey, verifiesUntil } from './stored-key.js'

/** What the trigger on the table notifies. */
export const KEY_CHANNEL = 'keyward_signing_keys'

// One row even where there is no key, for the time.
const READ = `
  select extract(epoch from clock_timestamp())::float8 as now, kid, algorithm, sealed_private_key,
         extract(epoch from created_at)::float8 as created_at,
         extract(epoch from signs_from)::float8 as signs_from, longest_token_seconds
    from (select 1) as always left join keyward_signing_keys on true
   order by signs_from, kid`

// Readers go on; whoever else wants to change keys waits.
const LOCK = 'lock table keyward_signing_keys in share row exclusive mode'

// It inherits how long tokens live: whoever runs this may have other settings than the nodes that sign.
const INSERT = `
  insert into keyward_signing_keys (kid, algorithm, sealed_private_key, longest_token_seconds, created_at, signs_from)
  select $1, $2, $3, greatest($4::int, max(longest_token_seconds)),
         clock_timestamp(), clock_timestamp() + $5 * interval '1 second'
    from keyward_signing_keys where algorithm = $2`

// Only keys that may still sign: the one whose turn it is, and those after it.
const LENGTHEN = `
  update keyward_signing_keys set longest_token_seconds = $2
   where algorithm = $1 and longest_token_seconds < $2
     and signs_from >= coalesce((select max(signs_from) from keyward_signing_keys
                                  where algorithm = $1 and signs_from <= now()), '-infinity')`

interface KeyRow {
  now: number
  kid: string | null
  algorithm: AsymmetricAlgorithm
  sealed_private_key: Buffer
  created_at: number
  signs_from: number
  longest_token_seconds: number
}

export function createSigningKeyStore(database: Database): SigningKeyStore {
  const changing = <T>(work: (transaction: Queryable) => Promise<T>): Promise<T> =>
    database.transaction(async (transaction) => {
      await transaction.query(LOCK)
      return work(transaction)
    })

  return {
    read: () => read(database),

    prepare: (algorithm, longestTokenSeconds) =>
      changing(async (transaction) => {
        await transaction.query(LENGTHEN, [algorithm, longestTokenSeconds])
        return hasKey(await read(transaction), algorithm)
      }),

    addFirst: (key) =>
      changing(async (transaction) => {
        if (!hasKey(await read(transaction), key.algorithm)) await insert(transaction, key, 0)
      }),

    addNext: (key) =>
      changing(async (transaction) => {
        const { keys, now } = await read(transaction)
        if (keys.some(({ algorithm, signsFrom }) => algorithm === key.algorithm && signsFrom > now))
          return false
        await insert(transaction, key, KEY_PROPAGATION_SECONDS)
        return true
      }),

    retire: (kid) =>
      changing(async (transaction) => {
        const { keys, now } = await read(transaction)
        const plan = planRetirement(keys, kid, now)
        if (typeof plan === 'string') return plan
        await remove(transaction, [kid])
        await transaction.query(
          'update keyward_signing_keys set signs_from = clock_timestamp() where kid = $1',
          [plan.promoted],
        )
        return 'retired'
      }),

    purge: () =>
      changing(async (transaction) => {
        const { keys, now } = await read(transaction)
        const cutoff = now - CLOCK_MARGIN_SECONDS * 1000
        const expired = keys.filter((key) => verifiesUntil(key, keys) < cutoff)
        if (expired.length > 0)
          await remove(
            transaction,
            expired.map(({ kid }) => kid),
          )
        return expired.length
      }),
  }
}

async function read(queryable: Queryable): Promise<StoredKeys> {
  const rows = await queryable.query<KeyRow>(READ)
  return { keys: rows.flatMap(toKey), now: (rows[0]?.now ?? 0) * 1000 }
}

const hasKey = ({ keys }: StoredKeys, wanted: AsymmetricAlgorithm): boolean =>
  keys.some(({ algorithm }) => algorithm === wanted)

async function insert(queryable: Queryable, key: NewKey, delaySeconds: number): Promise<void> {
  const { kid, algorithm, sealed, longestTokenSeconds } = key
  await queryable.query(INSERT, [kid, algorithm, sealed, longestTokenSeconds, delaySeconds])
}

async function remove(queryable: Queryable, kids: readonly string[]): Promise<void> {
  await queryable.query('delete from keyward_signing_keys where kid = any($1)', [kids])
}

function toKey(row: KeyRow): StoredKey[] {
  if (row.kid === null) return []
  return [
    {
      kid: row.kid,
      algorithm: row.algorithm,
      sealed: row.sealed_private_key,
      createdAt: row.created_at * 1000,
      signsFrom: row.signs_from * 1000,
      longestTokenSeconds: row.longest_token_seconds,
    },
  ]
}
