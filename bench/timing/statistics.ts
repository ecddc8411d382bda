import { quantile } from '../statistics.js'

/** Of all samples of both classes together, the shares that are kept: what is slower is noise more often than signal. */
const CROPS = [0.5, 0.75, 0.9, 0.95, 0.99, 1]

/** How well two classes of durations can be told apart. */
export interface Distinction {
  /** Of the best threshold classifier without a direction: 0.5 for coin tossing, 1 for certainty. */
  readonly auc: number
  /** Welch's |t| at the crop where it is largest. */
  readonly t: number
}

export function distinguish(left: readonly number[], right: readonly number[]): Distinction {
  const pooled = [...left, ...right].sort((one, other) => one - other)
  const tAt = (share: number): number => {
    const limit = quantile(pooled, share)
    const crop = (samples: readonly number[]): number[] => samples.filter((sample) => sample <= limit)
    return Math.abs(welchT(crop(left), crop(right)))
  }
  const auc = areaUnderCurve(left, right, pooled)
  return { auc: Math.max(auc, 1 - auc), t: Math.max(...CROPS.map(tAt)) }
}

/** Welch's t of two samples of unequal variance (dudect: Reparaz, Balasch, Verbauwhede, DATE 2017). */
export function welchT(left: readonly number[], right: readonly number[]): number {
  const [one, other] = [meanAndVariance(left), meanAndVariance(right)]
  const error = Math.sqrt(one.variance / left.length + other.variance / right.length)
  return (one.mean - other.mean) / error
}

function meanAndVariance(samples: readonly number[]): { mean: number; variance: number } {
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / samples.length
  const squares = samples.reduce((sum, sample) => sum + (sample - mean) ** 2, 0)
  return { mean, variance: squares / (samples.length - 1) }
}

/** The chance that a sample of `left` is above one of `right`, ties by half: Mann and Whitney's U, as a share. */
function areaUnderCurve(
  left: readonly number[],
  right: readonly number[],
  pooled: readonly number[],
): number {
  const rankOf = midRanks(pooled)
  const ranks = left.reduce((sum, sample) => sum + (rankOf.get(sample) ?? Number.NaN), 0)
  return (ranks - (left.length * (left.length + 1)) / 2) / (left.length * right.length)
}

/** Value → its rank from 1; equal values share the mean of theirs. `sorted` must be in ascending order. */
function midRanks(sorted: readonly number[]): Map<number, number> {
  const ranks = new Map<number, number>()
  for (let first = 0; first < sorted.length; ) {
    const value = sorted[first] as number
    let next = first
    while (sorted[next] === value) next++
    ranks.set(value, (first + 1 + next) / 2)
    first = next
  }
  return ranks
}
