import { availableParallelism } from 'node:os'
import { asMs, asRate, asRatio, type Findings, reach, withRange } from '../findings.js'
import { inTurn, ratesOf, ratios, spread } from '../rounds.js'
import type { Stage } from '../stage.js'
import { loginClosed, measureHashing } from './loads.js'

/** Enough to keep every core hashing while as many requests wait. */
const CONNECTIONS = 2 * availableParallelism()

export async function measureLogins(stage: Stage): Promise<Findings> {
  const { url: databaseUrl, users } = await stage.createDatabase()
  const { url } = await stage.startKeyward({ url: databaseUrl })
  const seconds = stage.seconds(6)
  const run = { stage, url, users, warmupSeconds: stage.seconds(1), seconds }
  const { hashes, logins } = await inTurn(stage.rounds, {
    hashes: () => measureHashing(stage, seconds),
    logins: () => loginClosed(run, CONNECTIONS),
  })
  const row = (what: string, reports: typeof logins) => [
    what,
    withRange(spread(ratesOf(reports)), asRate),
    asMs(spread(reports.map(({ served }) => served.p50Ms)).median),
  ]
  return {
    tables: [
      {
        head: ['', 'per second', 'p50'],
        rows: [
          row('hashes alone, one after another on each core', hashes),
          row(`log-ins at Keyward, ${CONNECTIONS} connections`, logins),
        ],
      },
    ],
    reaches: [
      reach('log-ins / hashes alone', ratios(ratesOf(logins), ratesOf(hashes)), { atLeast: 0.9 }, asRatio),
    ],
  }
}
