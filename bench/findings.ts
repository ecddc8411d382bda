import type { Spread } from './rounds.js'

/** What a section has found out. */
export interface Findings {
  readonly tables: readonly Table[]
  readonly reaches: readonly Reach[]
  /** Sentences that belong to the figures of this run. */
  readonly notes?: readonly string[]
  /** What else is written into this folder. */
  readonly files?: readonly { readonly name: string; readonly content: string }[]
}

export interface Table {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** A figure against what it should be. */
export interface Reach {
  readonly what: string
  readonly measured: string
  readonly wanted: string
  readonly isReached: boolean
}

type Bound = { readonly atLeast: number } | { readonly atMost: number }

/** `format` turns a number into text with its unit. The median decides. */
export function reach(
  what: string,
  measured: Spread,
  bound: Bound & { readonly aim?: number },
  format: (value: number) => string,
): Reach {
  const limit = 'atLeast' in bound ? bound.atLeast : bound.atMost
  const isReached = 'atLeast' in bound ? measured.median >= limit : measured.median <= limit
  const sign = 'atLeast' in bound ? '≥' : '≤'
  const aim = bound.aim === undefined ? '' : `, aim ${format(bound.aim)}`
  return { what, measured: withRange(measured, format), wanted: `${sign} ${format(limit)}${aim}`, isReached }
}

/** Like `1.72 (1.65–1.80)`; without the range where all rounds say the same. */
export function withRange({ median, least, most }: Spread, format: (value: number) => string): string {
  if (format(least) === format(most)) return format(median)
  return `${format(median)} (${format(least)}–${format(most)})`
}

export const asRatio = unit('', (value) => value.toFixed(2))
export const asMs = unit(' ms', (value) => (value < 100 ? value.toFixed(value < 10 ? 2 : 1) : asCount(value)))
export const asMicroseconds = unit(' µs', (value) => value.toFixed(value < 10 ? 2 : 1))
export const asRate = unit('/s', (value) => (value < 100 ? value.toFixed(1) : asCount(value)))
export const asMiB = unit(' MiB', (value) => value.toFixed(value < 10 ? 1 : 0))
export const asShare = unit(' %', (value) => String(Number((value * 100).toFixed(2))))

function unit(name: string, format: (value: number) => string): (value: number) => string {
  return (value) => (Number.isNaN(value) ? '–' : `${format(value)}${name}`)
}

export function asCount(value: number): string {
  return Math.round(value).toLocaleString('en')
}
