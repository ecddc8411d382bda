/** The current time in milliseconds since the Unix epoch. Injected, so that tests can move it. */
export type Clock = () => number

export const systemClock: Clock = Date.now

/** Whole seconds since the epoch: a NumericDate (RFC 7519 §2), rounded down so that it never lies ahead. */
export const toNumericDate = (milliseconds: number): number => Math.floor(milliseconds / 1000)

/** What has expired is kept for so much longer, for the sake of clocks that differ between machines. */
export const CLOCK_MARGIN_SECONDS = 3_600
