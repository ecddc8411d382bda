import type { LoadReport } from './load/job.js'
import { median } from './statistics.js'

/**
 * Visits all in turn, round after round: A B C A B C … A minute in which the machine is slow then falls on all of them,
 * and each round compares what was measured within seconds of each other.
 */
export async function inTurn<Name extends string, Result>(
  rounds: number,
  visits: Readonly<Record<Name, () => Promise<Result>>>,
): Promise<Record<Name, Result[]>> {
  const entries = Object.entries(visits) as [Name, () => Promise<Result>][]
  const results = Object.fromEntries(entries.map(([name]) => [name, []])) as unknown as Record<Name, Result[]>
  for (let round = 0; round < rounds; round++) {
    for (const [name, visit] of entries) results[name].push(await visit())
  }
  return results
}

/** What the rounds gave: their median, and how far they lie apart. */
export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

export function spread(samples: readonly number[]): Spread {
  return { median: median(samples), least: Math.min(...samples), most: Math.max(...samples) }
}

/** Pair by pair: the ratio of each round, never of one round to another. */
export function ratios(numerators: readonly number[], denominators: readonly number[]): Spread {
  return spread(numerators.map((numerator, round) => numerator / (denominators[round] ?? Number.NaN)))
}

/** What was served per second in each round. */
export function ratesOf(reports: readonly LoadReport[]): number[] {
  return reports.map(({ served }) => served.perSecond)
}
