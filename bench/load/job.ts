/** What a load process is asked to do: the warm-up comes first and counts for nothing. */
export type Job = (ClosedLoop | OpenLoop | HashLoop) & {
  readonly warmupSeconds: number
  readonly seconds: number
}

interface Target {
  readonly url: string
  /** Whole HTTP/1.1 requests, sent in turn and from the beginning again. */
  readonly requests: readonly string[]
  /** Statuses of an answer that did what was asked; all others are refusals. */
  readonly served: readonly number[]
}

/** Each connection sends its next request when the last is answered. */
export interface ClosedLoop {
  readonly kind: 'closed'
  readonly target: Target
  readonly connections: number
}

/** Requests leave at their times, whether or not earlier ones are answered. */
export interface OpenLoop {
  readonly kind: 'open'
  readonly target: Target
  readonly perSecond: number
}

/** Checks of one bcrypt hash on all cores, without any server: what the machine can do at most. */
export interface HashLoop {
  readonly kind: 'hash'
  readonly password: string
  readonly hash: string
}

export interface LoadReport {
  /** Requests sent within the measured time. */
  readonly offered: number
  readonly served: Answers
  readonly refused: Answers
  /** Of those refused: with status 503 and `Retry-After`. */
  readonly refusedInOrder: number
  /** No answer within 10 s, or a broken connection. */
  readonly unanswered: number
  /** How many answers each status had. */
  readonly statuses: Readonly<Record<string, number>>
  /** How much later than planned requests left (open loop). */
  readonly lagP99Ms: number
  /** CPU time that the load process took for itself, in cores. */
  readonly cores: number
}

export interface Answers {
  /** Of the requests sent within the measured time. */
  readonly count: number
  /** Answers that arrived within the measured time, per second of it. */
  readonly perSecond: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
}
