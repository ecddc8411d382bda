import { availableParallelism } from 'node:os'
import { asMs, asRate, asRatio, type Findings, withRange } from '../findings.js'
import type { LoadReport } from '../load/job.js'
import { inTurn, ratesOf, ratios, spread } from '../rounds.js'
import type { Stage } from '../stage.js'
import { loginClosed, PROFILE, readClosed } from './loads.js'

const READERS_OF_TWO = 32
const LOGIN_CONNECTIONS = 4 * availableParallelism()

/** One process against two on one PostgreSQL, each behind the same kind of front. */
export async function measureNodes(stage: Stage): Promise<Findings> {
  const { url: databaseUrl, users } = await stage.createDatabase()
  const first = await stage.startKeyward({ url: databaseUrl })
  const second = await stage.startKeyward({ url: databaseUrl })
  const one = await stage.startServer('round-robin.mjs', { TARGETS: `${first.port}` })
  const two = await stage.startServer('round-robin.mjs', { TARGETS: `${first.port},${second.port}` })

  const read = (url: string) =>
    readClosed({ stage, url, users, warmupSeconds: 1, seconds: stage.seconds(3) }, PROFILE, READERS_OF_TWO)
  const login = (url: string) =>
    loginClosed({ stage, url, users, warmupSeconds: 1, seconds: stage.seconds(5) }, LOGIN_CONNECTIONS)
  const measured = await inTurn(Math.min(stage.rounds, 3), {
    oneReads: () => read(one.url),
    twoReads: () => read(two.url),
    oneLogins: () => login(one.url),
    twoLogins: () => login(two.url),
  })
  return {
    tables: [
      {
        head: ['', 'one node', 'two nodes', 'two / one'],
        rows: [
          compare(`profile reads, ${READERS_OF_TWO} connections`, measured.oneReads, measured.twoReads),
          compare(`log-ins, ${LOGIN_CONNECTIONS} connections`, measured.oneLogins, measured.twoLogins),
        ],
      },
    ],
    reaches: [],
  }
}

function compare(what: string, one: readonly LoadReport[], two: readonly LoadReport[]): string[] {
  const cell = (reports: readonly LoadReport[]): string => {
    const p95 = spread(reports.map(({ served }) => served.p95Ms)).median
    return `${withRange(spread(ratesOf(reports)), asRate)}, p95 ${asMs(p95)}`
  }
  return [what, cell(one), cell(two), withRange(ratios(ratesOf(two), ratesOf(one)), asRatio)]
}
