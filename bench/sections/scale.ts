import { FIND_BY_EMAIL } from '../../src/accounts/sql.js'
import { purge } from '../../src/revocation/purge.js'
import {
  asCount,
  asMiB,
  asMs,
  asRate,
  asRatio,
  type Findings,
  reach,
  type Table,
  withRange,
} from '../findings.js'
import type { LoadReport } from '../load/job.js'
import { inTurn, ratesOf, ratios, spread } from '../rounds.js'
import { seedSessions, type Sql } from '../seed.js'
import type { SeededDatabase, Stage } from '../stage.js'
import { median } from '../statistics.js'
import { readClosed } from './loads.js'

const FEW_USERS = 1_000
const LIVE_SESSIONS = 100_000
/** More than the purge gets done within one measurement. */
const EXPIRED_SESSIONS = 200_000
const SESSION_IDLE_TTL_SECONDS = 14 * 86_400
/** "Flat": no worse than by this factor. */
const FLAT = 1.3

/** A thousand users against a million, and then many sessions with the purge at work. */
export async function measureScale(stage: Stage): Promise<Findings> {
  const many = await openSize(stage, stage.isQuick ? 100_000 : 1_000_000)
  const few = await openSize(stage, FEW_USERS)
  const ofUsers = await compareUsers(stage, few, many)
  const ofSessions = await compareSessions(stage, many)
  return {
    tables: [...ofUsers.tables, ...ofSessions.tables],
    reaches: [...ofUsers.reaches, ...ofSessions.reaches],
    notes: [
      ...(ofSessions.notes ?? []),
      `The plan of the look-up among ${many.name}:`,
      `\`\`\`text\n${await explainLookup(many.database)}\n\`\`\``,
    ],
  }
}

/** A table of users, and Keyward on it. */
interface Size {
  readonly name: string
  readonly database: SeededDatabase
  read(): Promise<LoadReport>
}

async function openSize(stage: Stage, users: number): Promise<Size> {
  const database = await stage.createDatabase(users)
  const { url } = await stage.startKeyward(database)
  const run = {
    stage,
    url,
    users: database.users,
    warmupSeconds: stage.seconds(1),
    seconds: stage.seconds(3),
  }
  return { name: `${asCount(users)} users`, database, read: () => readClosed(run) }
}

async function compareUsers(stage: Stage, few: Size, many: Size): Promise<Findings> {
  const rounds = Math.min(stage.rounds, 3)
  const reads = await inTurn(rounds, { few: few.read, many: many.read })
  const lookups = await inTurn(rounds, {
    few: () => timeLookups(few.database),
    many: () => timeLookups(many.database),
  })
  const row = async (
    { name, database }: Size,
    reports: readonly LoadReport[],
    lookupMs: readonly number[],
  ) => [...describeReads(name, reports), withRange(spread(lookupMs), asMs), await indexSizes(database.sql)]
  return {
    tables: [
      {
        head: ['', 'profile reads', 'p50', 'look-up by e-mail, p50', 'indexes'],
        rows: [await row(few, reads.few, lookups.few), await row(many, reads.many, lookups.many)],
      },
    ],
    reaches: [
      reach(
        `reads: ${many.name} / ${few.name}`,
        ratios(ratesOf(reads.many), ratesOf(reads.few)),
        { atLeast: 1 / FLAT },
        asRatio,
      ),
      reach(
        `look-up by e-mail: ${many.name} / ${few.name}`,
        ratios(lookups.many, lookups.few),
        { atMost: FLAT },
        asRatio,
      ),
    ],
  }
}

async function compareSessions(stage: Stage, { name, database, read }: Size): Promise<Findings> {
  await seedSessions(database.sql, LIVE_SESSIONS, 'live')
  const purgeRates: number[] = []
  const { quiet, purging } = await inTurn(Math.min(stage.rounds, 3), {
    quiet: read,
    purging: async () => {
      await seedSessions(database.sql, EXPIRED_SESSIONS, 'expired')
      const reading = read()
      purgeRates.push(await purgeDuring(reading, database.sql))
      return reading
    },
  })
  const table: Table = {
    head: [`${name}, ${asCount(LIVE_SESSIONS)} live sessions`, 'profile reads', 'p50'],
    rows: [describeReads('no purge', quiet), describeReads('purge at work', purging)],
  }
  return {
    tables: [table],
    reaches: [
      reach(
        'reads: purge at work / no purge',
        ratios(ratesOf(purging), ratesOf(quiet)),
        { atLeast: 1 / FLAT },
        asRatio,
      ),
    ],
    notes: [`The purge removed ${withRange(spread(purgeRates), asCount)} expired sessions per second.`],
  }
}

function describeReads(name: string, reports: readonly LoadReport[]): string[] {
  const p50 = spread(reports.map(({ served }) => served.p50Ms)).median
  return [name, withRange(spread(ratesOf(reports)), asRate), asMs(p50)]
}

/** The median time of a look-up in milliseconds: one for each known user, with the statement of a log-in. */
async function timeLookups({ sql, users }: SeededDatabase): Promise<number> {
  const times: number[] = []
  for (const { email, id } of users) {
    const began = performance.now()
    const [found] = await sql<{ id: string }>(FIND_BY_EMAIL, [[email], email])
    times.push(performance.now() - began)
    if (found?.id !== id) throw new Error(`${email} was not found`)
  }
  return median(times)
}

async function explainLookup({ sql, users }: SeededDatabase): Promise<string> {
  const email = users[0]?.email
  const lines = await sql<{ 'QUERY PLAN': string }>(`explain (costs off) ${FIND_BY_EMAIL}`, [[email], email])
  return lines.map((line) => line['QUERY PLAN']).join('\n')
}

async function indexSizes(sql: Sql): Promise<string> {
  const indexes = await sql<{ name: string; mib: number }>(
    `select indexrelname as name, pg_relation_size(indexrelid) / 1048576.0::float8 as mib
       from pg_stat_user_indexes where relname = 'users' order by 1`,
  )
  return indexes.map(({ name, mib }) => `${name} ${asMiB(mib)}`).join(', ')
}

/** Runs the purge again and again until `reading` is over; returns how many rows it removed per second. */
async function purgeDuring(reading: Promise<unknown>, sql: Sql): Promise<number> {
  const over = new AbortController()
  const stop = (): void => over.abort()
  void reading.then(stop, stop)
  const began = performance.now()
  let removed = 0
  while (!over.signal.aborted) removed += await purge({ query: sql }, SESSION_IDLE_TTL_SECONDS)
  return (removed / (performance.now() - began)) * 1000
}
