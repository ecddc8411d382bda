import { getPriority, setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { type HashPrimitives, hashPrimitives } from './hash-primitives.js'

// What runs in each thread of `hash-threads.ts`: one hash after another, at a lower priority than everything else.

export interface HashJob {
  readonly primitive: keyof HashPrimitives
  readonly values: readonly unknown[]
}

export type HashOutcome = { readonly result: string | boolean } | { readonly failure: string }

/** Steps by which the thread comes after the rest of the process; chosen by measuring (docs/decisions/0006). */
const NICENESS = 10
const LOWEST_PRIORITY = 19

// On Linux a priority belongs to a thread. Elsewhere this call would slow down the whole process.
if (process.platform === 'linux') lowerPriority()

function lowerPriority(): void {
  try {
    setPriority(0, Math.min(getPriority(0) + NICENESS, LOWEST_PRIORITY))
  } catch {
    // A system that forbids it, a sandbox say: hashes then compete on equal terms.
  }
}

parentPort?.on('message', ({ primitive, values }: HashJob) => {
  parentPort?.postMessage(compute(primitive, values))
})

function compute(primitive: HashJob['primitive'], values: readonly unknown[]): HashOutcome {
  try {
    const run = hashPrimitives[primitive] as (...values: readonly unknown[]) => string | boolean
    return { result: run(...values) }
  } catch (error) {
    return { failure: error instanceof Error ? error.message : 'not an Error' }
  }
}
