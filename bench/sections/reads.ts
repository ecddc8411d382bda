import { asMs, asRate, asRatio, type Findings, reach, withRange } from '../findings.js'
import type { LoadReport } from '../load/job.js'
import { inTurn, ratesOf, ratios, spread } from '../rounds.js'
import { FEED_TOKEN, SECRET } from '../servers/keyward.js'
import type { Stage } from '../stage.js'
import { PROFILE, readClosed } from './loads.js'

/** Visits are short: a machine whose speed changes by the minute then changes between rounds, not within one. */
const VISITS_PER_ROUND = 3

export async function measureReads(stage: Stage): Promise<Findings> {
  const { url: databaseUrl, users } = await stage.createDatabase()
  const embeddedDatabase = await stage.createEmbeddedDatabase()
  const secret = { BETTER_AUTH_SECRET: SECRET }
  const keyward = await stage.startKeyward({ url: databaseUrl })
  const embedded = await stage.startKeyward(embeddedDatabase)
  const bareSelect = await stage.startServer('bare-select.mjs', { ...secret, DATABASE_URL: databaseUrl })
  const guardEnv = { ...secret, KEYWARD_URL: keyward.url, REVOCATION_FEED_TOKEN: FEED_TOKEN }
  const guarded = await stage.startServer('guarded-route.mjs', guardEnv)
  const bareHmac = await stage.startServer('bare-hmac.mjs', secret)
  const bareConstant = await stage.startServer('bare-constant.mjs', {})
  const warm = new Set<string>()
  await requireSameAnswer(keyward.url, bareSelect.url, users[0]?.accessToken)

  const read = ({ url }: { url: string }, path: string, readers = users) => {
    const run = { stage, url, users: readers }
    return async () => {
      const isFirst = !warm.has(url)
      warm.add(url)
      if (isFirst) await readClosed({ ...run, warmupSeconds: 0, seconds: stage.seconds(4) }, path)
      return readClosed({ ...run, warmupSeconds: 0.2, seconds: 1 }, path)
    }
  }
  const measured = await inTurn(stage.rounds * VISITS_PER_ROUND, {
    'Keyward, profile': read(keyward, PROFILE),
    'bare: HMAC and one SELECT': read(bareSelect, PROFILE),
    'Keyward, profile, embedded database': read(embedded, PROFILE, embeddedDatabase.users),
    'Fastify route behind the guard': read(guarded, '/whoami'),
    'bare: HMAC, no database': read(bareHmac, '/whoami'),
    'bare: constant answer': read(bareConstant, '/'),
  })
  const ratio = (one: keyof typeof measured, other: keyof typeof measured) =>
    ratios(ratesOf(measured[one]), ratesOf(measured[other]))
  return {
    tables: [
      {
        head: ['server', 'requests', 'p50', 'p95', 'p99', 'load process'],
        rows: Object.entries(measured).map(([name, reports]) => [name, ...describe(reports)]),
      },
    ],
    reaches: [
      reach(
        'profile: Keyward / bare HMAC and SELECT',
        ratio('Keyward, profile', 'bare: HMAC and one SELECT'),
        { atLeast: 1.2, aim: 1.7 },
        asRatio,
      ),
      reach(
        'guarded Fastify route / bare HMAC',
        ratio('Fastify route behind the guard', 'bare: HMAC, no database'),
        { atLeast: 0.7 },
        asRatio,
      ),
    ],
  }
}

function describe(reports: readonly LoadReport[]): string[] {
  const medianOf = (pick: (report: LoadReport) => number) => spread(reports.map(pick)).median
  return [
    withRange(spread(ratesOf(reports)), asRate),
    asMs(medianOf(({ served }) => served.p50Ms)),
    asMs(medianOf(({ served }) => served.p95Ms)),
    asMs(medianOf(({ served }) => served.p99Ms)),
    `${asRatio(medianOf(({ cores }) => cores))} cores`,
  ]
}

/** The yardstick must do the same work. */
async function requireSameAnswer(keyward: string, bare: string, token: string | undefined): Promise<void> {
  const read = async (url: string) =>
    (await fetch(`${url}${PROFILE}`, { headers: { authorization: `Bearer ${token}` } })).text()
  const [ours, theirs] = await Promise.all([read(keyward), read(bare)])
  if (ours !== theirs) throw new Error(`the bare server answers something else:\n${ours}\n${theirs}`)
}
