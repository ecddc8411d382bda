import { quantile } from '../statistics.js'
import type { Reply } from './connection.js'
import type { Answers, LoadReport } from './job.js'

interface Window {
  /** Milliseconds on the clock of `performance.now()`. */
  readonly from: number
  readonly until: number
}

class AnswerCount {
  readonly latencies: number[] = []
  arrived = 0

  summary(seconds: number): Answers {
    const sorted = Float64Array.from(this.latencies).sort()
    return {
      count: sorted.length,
      perSecond: this.arrived / seconds,
      p50Ms: quantile(sorted, 0.5),
      p95Ms: quantile(sorted, 0.95),
      p99Ms: quantile(sorted, 0.99),
    }
  }
}

/** Counts requests and answers of the measured time. */
export class Tally {
  readonly #window: Window
  readonly #servedStatuses: ReadonlySet<number>
  readonly #served = new AnswerCount()
  readonly #refused = new AnswerCount()
  readonly #statuses: Record<string, number> = {}
  readonly #lags: number[] = []
  #offered = 0
  #refusedInOrder = 0

  constructor(window: Window, servedStatuses: readonly number[]) {
    this.#window = window
    this.#servedStatuses = new Set(servedStatuses)
  }

  sent(at: number, lagMs = 0): void {
    if (!this.#includes(at)) return
    this.#offered++
    this.#lags.push(lagMs)
  }

  answered(sentAt: number, at: number, { status, hasRetryAfter }: Reply): void {
    if (status === 0) return
    const isServed = this.#servedStatuses.has(status)
    const count = isServed ? this.#served : this.#refused
    if (this.#includes(at)) count.arrived++
    if (!this.#includes(sentAt)) return
    count.latencies.push(at - sentAt)
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1
    if (status === 503 && hasRetryAfter) this.#refusedInOrder++
  }

  report(cores: number): LoadReport {
    const seconds = (this.#window.until - this.#window.from) / 1000
    const served = this.#served.summary(seconds)
    const refused = this.#refused.summary(seconds)
    return {
      offered: this.#offered,
      served,
      refused,
      refusedInOrder: this.#refusedInOrder,
      unanswered: this.#offered - served.count - refused.count,
      statuses: this.#statuses,
      lagP99Ms: quantile(Float64Array.from(this.#lags).sort(), 0.99),
      cores,
    }
  }

  #includes(at: number): boolean {
    return at >= this.#window.from && at < this.#window.until
  }
}
