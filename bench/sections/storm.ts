import {
  asMiB,
  asMs,
  asRate,
  asRatio,
  asShare,
  type Findings,
  type Reach,
  reach,
  type Table,
  withRange,
} from '../findings.js'
import type { LoadReport } from '../load/job.js'
import { ratios, type Spread, spread } from '../rounds.js'
import type { ServerProcess } from '../servers/server-process.js'
import type { SeededDatabase, Stage } from '../stage.js'
import {
  measureHashing,
  offerLogins,
  READS_PER_SECOND,
  readAtPace,
  readClosed,
  STORM_FACTOR,
  STORM_WARMUP_SECONDS,
} from './loads.js'

interface Round {
  readonly idle: LoadReport
  readonly hashing: LoadReport
  readonly reads: LoadReport
  readonly logins: LoadReport
  readonly peakMiB: number
  readonly afterMiB: number
}

export async function measureStorm(stage: Stage): Promise<Findings> {
  const database = await stage.createDatabase()
  const keyward = await stage.startKeyward({ url: database.url })
  await warmUp(stage, keyward, database)
  const rounds: Round[] = []
  for (let round = 0; round < stage.rounds; round++) {
    rounds.push(await measureRound(stage, keyward, database))
  }
  return {
    tables: [tableOfReads(rounds), tableOfLogins(rounds)],
    reaches: [...reachesOfReads(rounds), ...reachesOfLogins(rounds)],
  }
}

/** A round that nobody counts, and the reads of a minute or two: what runs often has been compiled by then. */
async function warmUp(stage: Stage, keyward: ServerProcess, database: SeededDatabase): Promise<void> {
  const run = { stage, url: keyward.url, users: database.users }
  await readClosed({ ...run, warmupSeconds: 0, seconds: stage.seconds(4) })
  await measureRound(stage, keyward, database)
}

async function measureRound(stage: Stage, keyward: ServerProcess, { users }: SeededDatabase): Promise<Round> {
  const run = { stage, url: keyward.url, users }
  const idle = await readAtPace({ ...run, warmupSeconds: 1, seconds: stage.seconds(5) })
  const hashing = await measureHashing(stage, stage.seconds(5))
  const perSecond = STORM_FACTOR * hashing.served.perSecond
  const inStorm = { ...run, warmupSeconds: STORM_WARMUP_SECONDS, seconds: stage.seconds(8) }
  let peakMiB = 0
  const watch = setInterval(() => {
    peakMiB = Math.max(peakMiB, keyward.residentMiB())
  }, 250)
  const [reads, logins] = await Promise.all([readAtPace(inStorm), offerLogins(inStorm, perSecond)])
  clearInterval(watch)
  return { idle, hashing, reads, logins, peakMiB, afterMiB: keyward.residentMiB() }
}

const over = (rounds: readonly Round[], pick: (round: Round) => number): Spread => spread(rounds.map(pick))

const answeredShare = ({ offered, served }: LoadReport): number => served.count / offered

function tableOfReads(rounds: readonly Round[]): Table {
  const row = (what: string, pick: (report: LoadReport) => number, format: (value: number) => string) => [
    what,
    withRange(
      over(rounds, ({ idle }) => pick(idle)),
      format,
    ),
    withRange(
      over(rounds, ({ reads }) => pick(reads)),
      format,
    ),
  ]
  return {
    head: [`${READS_PER_SECOND} reads per second`, 'idle', `in the storm`],
    rows: [
      row('answered', answeredShare, asShare),
      row('p50', ({ served }) => served.p50Ms, asMs),
      row('p95', ({ served }) => served.p95Ms, asMs),
      row('p99', ({ served }) => served.p99Ms, asMs),
      row('sent late, p99', ({ lagP99Ms }) => lagP99Ms, asMs),
    ],
  }
}

function tableOfLogins(rounds: readonly Round[]): Table {
  const row = (what: string, pick: (round: Round) => number, format: (value: number) => string) => [
    what,
    withRange(over(rounds, pick), format),
  ]
  const statuses = new Set(rounds.flatMap(({ logins }) => Object.keys(logins.statuses)))
  return {
    head: ['log-ins in the storm', ''],
    rows: [
      row('hashes alone, on the idle machine', ({ hashing }) => hashing.served.perSecond, asRate),
      row('offered', ({ hashing }) => STORM_FACTOR * hashing.served.perSecond, asRate),
      row('decided (200 or 401)', ({ logins }) => logins.served.perSecond, asRate),
      row('decided, p50', ({ logins }) => logins.served.p50Ms, asMs),
      row('decided, p99', ({ logins }) => logins.served.p99Ms, asMs),
      row('refused', ({ logins }) => logins.refused.count / logins.offered, asShare),
      row('refused, p50', ({ logins }) => logins.refused.p50Ms, asMs),
      row('refused, p99', ({ logins }) => logins.refused.p99Ms, asMs),
      row('unanswered', ({ logins }) => logins.unanswered / logins.offered, asShare),
      row('sent late, p99', ({ logins }) => logins.lagP99Ms, asMs),
      row('resident memory, highest', ({ peakMiB }) => peakMiB, asMiB),
      row('resident memory after it', ({ afterMiB }) => afterMiB, asMiB),
      ['statuses', [...statuses].sort().join(', ')],
    ],
  }
}

function reachesOfReads(rounds: readonly Round[]): Reach[] {
  const slower = (pick: (report: LoadReport) => number): Spread =>
    ratios(
      rounds.map(({ reads }) => pick(reads)),
      rounds.map(({ idle }) => pick(idle)),
    )
  return [
    reach(
      'reads answered in the storm',
      over(rounds, ({ reads }) => answeredShare(reads)),
      { atLeast: 1 },
      asShare,
    ),
    reach(
      'reads, p50: storm / idle',
      slower(({ served }) => served.p50Ms),
      { atMost: 1.5, aim: 1.2 },
      asRatio,
    ),
    reach(
      'reads, p95: storm / idle',
      slower(({ served }) => served.p95Ms),
      { atMost: 1.5, aim: 1.2 },
      asRatio,
    ),
  ]
}

function reachesOfLogins(rounds: readonly Round[]): Reach[] {
  const goodput = ratios(
    rounds.map(({ logins }) => logins.served.perSecond),
    rounds.map(({ hashing }) => hashing.served.perSecond),
  )
  return [
    reach('log-ins decided / hashes alone', goodput, { atLeast: 0.9 }, asRatio),
    reach(
      'log-ins decided, p99',
      over(rounds, ({ logins }) => logins.served.p99Ms),
      { atMost: 3_000 },
      asMs,
    ),
    reach(
      'refused with 503 and Retry-After',
      over(rounds, ({ logins }) => logins.refusedInOrder / logins.refused.count),
      { atLeast: 1 },
      asShare,
    ),
    reach(
      'refused, p99',
      over(rounds, ({ logins }) => logins.refused.p99Ms),
      { atMost: 50 },
      asMs,
    ),
  ]
}
