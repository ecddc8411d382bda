import { formatUuid, readUuid, readUuidBytes } from './uuid.js'

/**
 * Which sessions have ended, in memory: an append-only log in order of sequence numbers with an index by session id.
 * Made for hundreds of thousands of rows in every process: ids are four 32-bit words in typed arrays, about 50 to 60 bytes
 * a row in all, and a look-up allocates nothing.
 */
export interface RevocationLog {
  /**
   * Appends one row; `seq` must be above all before it. The session id is a UUID, as text or as its 16 bytes;
   * `expiresAt` is in seconds since the epoch.
   */
  append(seq: number, sessionId: string | Uint8Array, expiresAt: number): void
  /** Whether this session (a UUID) has ended. */
  has(sessionId: string): boolean
  /** The highest sequence number appended; 0 at first. It does not fall when rows are dropped. */
  readonly lastSeq: number
  readonly size: number
  /** Rows after a sequence number, oldest first, at most `limit`. */
  after(seq: number, limit: number): Revocation[]
  /** Forgets rows that expired before this time, in seconds since the epoch. */
  dropExpired(before: number): void
  /** Forgets everything, for a new start from the feed. */
  clear(): void
}

export interface Revocation {
  readonly seq: number
  readonly sessionId: string
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

const INITIAL_CAPACITY = 1024
const WORDS = 4
const EMPTY = -1

export function createRevocationLog(): RevocationLog {
  let capacity = INITIAL_CAPACITY
  let size = 0
  let lastSeq = 0
  // Of the rows held; dropping is asked for at every read of the feed and mostly has nothing to do.
  let earliestExpiry = Number.POSITIVE_INFINITY
  let ids = new Uint32Array(capacity * WORDS)
  let seqs = new Float64Array(capacity)
  let expiries = new Float64Array(capacity)
  // Open addressing, at most half full: slot → position in the log.
  let slots = new Int32Array(capacity * 2).fill(EMPTY)
  const wanted = new Uint32Array(WORDS)

  /** The slot that holds `wanted`, or the free one where it belongs. Ids are random: their first word is the hash. */
  function findSlot(): number {
    const mask = slots.length - 1
    let slot = (wanted[0] as number) & mask
    for (;;) {
      const position = slots[slot] as number
      if (position === EMPTY || isWanted(position * WORDS)) return slot
      slot = (slot + 1) & mask
    }
  }

  function isWanted(offset: number): boolean {
    return (
      ids[offset] === wanted[0] &&
      ids[offset + 1] === wanted[1] &&
      ids[offset + 2] === wanted[2] &&
      ids[offset + 3] === wanted[3]
    )
  }

  function resize(newCapacity: number, keep: (position: number) => boolean): void {
    const [oldIds, oldSeqs, oldExpiries, oldSize] = [ids, seqs, expiries, size]
    capacity = newCapacity
    ids = new Uint32Array(capacity * WORDS)
    seqs = new Float64Array(capacity)
    expiries = new Float64Array(capacity)
    slots = new Int32Array(capacity * 2).fill(EMPTY)
    size = 0
    earliestExpiry = Number.POSITIVE_INFINITY
    for (let position = 0; position < oldSize; position++) {
      if (!keep(position)) continue
      wanted.set(oldIds.subarray(position * WORDS, (position + 1) * WORDS))
      place(oldSeqs[position] as number, oldExpiries[position] as number)
    }
  }

  /** Puts `wanted` at the end of the log. */
  function place(seq: number, expiresAt: number): void {
    ids.set(wanted, size * WORDS)
    seqs[size] = seq
    expiries[size] = expiresAt
    slots[findSlot()] = size
    size++
    if (expiresAt < earliestExpiry) earliestExpiry = expiresAt
  }

  /** The first position whose sequence number is above `seq`. */
  function firstAfter(seq: number): number {
    let low = 0
    let high = size
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((seqs[middle] as number) <= seq) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    append(seq, sessionId, expiresAt) {
      if (seq <= lastSeq) throw new RangeError('Revocations must be appended in order')
      if (size === capacity) resize(capacity * 2, () => true)
      const isRead =
        typeof sessionId === 'string' ? readUuid(sessionId, wanted) : readUuidBytes(sessionId, wanted)
      if (!isRead) throw new TypeError('A session id must be a UUID')
      place(seq, expiresAt)
      lastSeq = seq
    },
    has(sessionId) {
      return readUuid(sessionId, wanted) && slots[findSlot()] !== EMPTY
    },
    get lastSeq() {
      return lastSeq
    },
    get size() {
      return size
    },
    after(seq, limit) {
      const rows: Revocation[] = []
      for (let position = firstAfter(seq); position < size && rows.length < limit; position++) {
        const words = ids.subarray(position * WORDS, (position + 1) * WORDS)
        rows.push({
          seq: seqs[position] as number,
          sessionId: formatUuid(words),
          expiresAt: expiries[position] as number,
        })
      }
      return rows
    },
    dropExpired(before) {
      if (earliestExpiry >= before) return
      // Captured: resizing replaces the array that it reads.
      const current = expiries
      const isLive = (position: number): boolean => (current[position] as number) >= before
      let live = 0
      for (let position = 0; position < size; position++) if (isLive(position)) live++
      let fitting = INITIAL_CAPACITY
      while (fitting < live) fitting *= 2
      resize(fitting, isLive)
    },
    clear() {
      lastSeq = 0
      resize(INITIAL_CAPACITY, () => false)
    },
  }
}
