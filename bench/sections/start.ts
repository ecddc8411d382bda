import { availableParallelism } from 'node:os'
import { asMiB, asMs, type Findings, reach, withRange } from '../findings.js'
import { inTurn, spread } from '../rounds.js'
import type { KnownUser } from '../seed.js'
import type { KeywardDatabase } from '../servers/keyward.js'
import type { Stage } from '../stage.js'
import { loginClosed, readClosed } from './loads.js'

const STARTS = 5

export async function measureStart(stage: Stage): Promise<Findings> {
  const server = await stage.createDatabase()
  const embedded = await stage.createEmbeddedDatabase()
  const starts = await inTurn(STARTS, {
    server: () => timeStart(stage, server),
    embedded: () => timeStart(stage, embedded),
  })
  const ofServer = await residentAfterLoad(stage, server, server.users)
  const ofEmbedded = await residentAfterLoad(stage, embedded, embedded.users)
  const row = (what: string, times: number[], { before, after }: Memory) => [
    what,
    withRange(spread(times), asMs),
    asMiB(before),
    asMiB(after),
  ]
  return {
    tables: [
      {
        head: ['database', 'start to first answer', 'resident memory', 'after reads and log-ins'],
        rows: [
          row('PostgreSQL', starts.server, ofServer),
          row('embedded, with 1,000 users already', starts.embedded, ofEmbedded),
        ],
      },
    ],
    reaches: [
      reach('start on PostgreSQL', spread(starts.server), { atMost: 1_000 }, asMs),
      reach('start on the embedded database', spread(starts.embedded), { atMost: 2_000 }, asMs),
      reach('resident memory on PostgreSQL after load', spread([ofServer.after]), { atMost: 150 }, asMiB),
    ],
  }
}

/** Milliseconds from the start of the process to its first 200 at `/health/ready`. */
async function timeStart(stage: Stage, database: KeywardDatabase): Promise<number> {
  const began = performance.now()
  const keyward = await stage.startKeyward(database)
  const { status } = await fetch(`${keyward.url}/health/ready`)
  const elapsed = performance.now() - began
  if (status !== 200) throw new Error(`not ready: ${status}`)
  await keyward.stop()
  return elapsed
}

interface Memory {
  /** In MiB. */
  readonly before: number
  readonly after: number
}

async function residentAfterLoad(
  stage: Stage,
  database: KeywardDatabase,
  users: readonly KnownUser[],
): Promise<Memory> {
  const keyward = await stage.startKeyward(database)
  const run = { stage, url: keyward.url, users, warmupSeconds: 0, seconds: stage.seconds(6) }
  const before = keyward.residentMiB()
  await readClosed(run)
  await loginClosed(run, 2 * availableParallelism())
  const after = keyward.residentMiB()
  await keyward.stop()
  return { before, after }
}
