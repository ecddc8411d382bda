import { asMs, asRate, type Findings } from '../findings.js'
import { drawStorm, type StormPoint } from '../plot/storm-plot.js'
import type { SeededDatabase, Stage } from '../stage.js'
import { measureHashing, offerLogins, READS_PER_SECOND, readAtPace, STORM_WARMUP_SECONDS } from './loads.js'

/** Offered log-ins as multiples of what the machine can hash. */
const FACTORS = [0, 0.5, 1, 2, 5, 10, 20]

/** What readers and log-ins see as more and more log-ins are offered. */
export async function measurePlot(stage: Stage): Promise<Findings> {
  const database = await stage.createDatabase()
  const { url } = await stage.startKeyward(database)
  const hashing = await measureHashing(stage, stage.seconds(5))
  const capacity = hashing.served.perSecond
  const points: StormPoint[] = []
  for (const factor of FACTORS) points.push(await measurePoint(stage, url, database, capacity, factor))
  return {
    tables: [
      {
        head: ['log-ins offered', '', 'reads, p50', 'reads, p95', 'log-ins decided', 'log-ins refused'],
        rows: points.map(({ factor, readP50Ms, readP95Ms, decidedPerSecond, refusedPerSecond }) => [
          `${factor} ×`,
          asRate(factor * capacity),
          asMs(readP50Ms),
          asMs(readP95Ms),
          asRate(decidedPerSecond),
          asRate(refusedPerSecond),
        ]),
      },
    ],
    reaches: [],
    files: [{ name: 'storm.svg', content: drawStorm(points, capacity, READS_PER_SECOND) }],
  }
}

async function measurePoint(
  stage: Stage,
  url: string,
  { users }: SeededDatabase,
  capacity: number,
  factor: number,
): Promise<StormPoint> {
  const run = { stage, url, users, warmupSeconds: STORM_WARMUP_SECONDS, seconds: stage.seconds(5) }
  const [reads, logins] = await Promise.all([
    readAtPace(run),
    factor > 0 ? offerLogins(run, factor * capacity) : null,
  ])
  return {
    factor,
    readP50Ms: reads.served.p50Ms,
    readP95Ms: reads.served.p95Ms,
    decidedPerSecond: logins?.served.perSecond ?? 0,
    refusedPerSecond: logins?.refused.perSecond ?? 0,
  }
}
