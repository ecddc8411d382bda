import { asMs, asRate, asRatio, type Findings, reach, withRange } from '../findings.js'
import type { LoadReport } from '../load/job.js'
import { inTurn, ratesOf, ratios, spread } from '../rounds.js'
import type { Stage } from '../stage.js'
import {
  measureHashing,
  offerLogins,
  READERS,
  readClosed,
  STORM_FACTOR,
  STORM_WARMUP_SECONDS,
} from './loads.js'

/** Readers who take all the machine gives, while the storm wants all of it for hashing. */
export async function measureSaturated(stage: Stage): Promise<Findings> {
  const { url: databaseUrl, users } = await stage.createDatabase()
  const { url } = await stage.startKeyward({ url: databaseUrl })
  const hashing = await measureHashing(stage, stage.seconds(6))
  const capacity = hashing.served.perSecond
  const run = { stage, url, users, warmupSeconds: STORM_WARMUP_SECONDS, seconds: stage.seconds(4) }
  const logins: LoadReport[] = []
  const { idle, storm } = await inTurn(stage.rounds, {
    idle: () => readClosed({ ...run, warmupSeconds: 1 }),
    storm: async () => {
      const [reads, offered] = await Promise.all([readClosed(run), offerLogins(run, STORM_FACTOR * capacity)])
      logins.push(offered)
      return reads
    },
  })
  const row = (what: string, reports: readonly LoadReport[]) => [
    what,
    withRange(spread(ratesOf(reports)), asRate),
    asMs(spread(reports.map(({ served }) => served.p50Ms)).median),
    asMs(spread(reports.map(({ served }) => served.p95Ms)).median),
  ]
  return {
    tables: [
      {
        head: [`${READERS} readers in a closed loop`, 'reads', 'p50', 'p95'],
        rows: [row('idle', idle), row('in the storm', storm)],
      },
    ],
    reaches: [reach('reads: storm / idle', ratios(ratesOf(storm), ratesOf(idle)), { atLeast: 0.7 }, asRatio)],
    notes: [
      `Log-ins decided meanwhile: ${withRange(spread(ratesOf(logins)), asRate)}; hashes alone, on the idle ` +
        `machine: ${asRate(capacity)}.`,
    ],
  }
}
