/**
 * What a change writes into `updated_at`; `moment` is its parameter. The added millisecond keeps it moving when two changes
 * fall into one tick of the clock, or the clock went back.
 */
export const nextUpdatedAt = (moment: string): string =>
  `greatest(updated_at + interval '1 millisecond', ${moment})`
