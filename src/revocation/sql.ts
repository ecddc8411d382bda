import type { Queryable } from '../db/database.js'
import type { FeedRow, FeedStore } from './feed.js'

/** What `keyward_revoke_session()` notifies. */
export const CHANNEL = 'keyward_revocations'

// `head` and the rows are read in one snapshot, so a row can only be missing because it was purged. A page comes as
// one row of packed columns: a start may have to read hundreds of thousands, and each row of a result has its price.
const READ_AFTER = `
  select last_seq::float8 as last_seq, extract(epoch from now())::float8 as now, packed.*
    from keyward_revocation_head
   cross join lateral (
     select string_agg(int8send(seq), ''::bytea order by seq) as seqs,
            string_agg(uuid_send(session_id), ''::bytea order by seq) as session_ids,
            string_agg(float8send(extract(epoch from expires_at)::float8), ''::bytea order by seq) as expiries
       from (select * from keyward_revocations where seq > $1 order by seq limit $2) as page
   ) as packed`

interface PackedRow {
  last_seq: number
  now: number
  /** Eight bytes, sixteen and eight for each revocation; null when there are none. */
  seqs: Buffer | null
  session_ids: Buffer | null
  expiries: Buffer | null
}

export function createFeedStore(database: Queryable): FeedStore {
  return {
    async readAfter(seq, limit) {
      const [row] = await database.query<PackedRow>(READ_AFTER, [seq, limit])
      if (!row) throw new Error('The head of the feed of ended sessions is missing.')
      return { lastSeq: row.last_seq, now: row.now, rows: unpack(row) }
    },
  }
}

function unpack({ seqs, session_ids: sessionIds, expiries }: PackedRow): FeedRow[] {
  if (!seqs || !sessionIds || !expiries) return []
  return Array.from({ length: seqs.length / 8 }, (_, i) => ({
    seq: Number(seqs.readBigInt64BE(i * 8)),
    sessionId: sessionIds.subarray(i * 16, (i + 1) * 16),
    expiresAt: expiries.readDoubleBE(i * 8),
  }))
}
