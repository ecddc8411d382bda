// Whether the time of a refused log-in tells why it was refused.
//   npm run bench:timing                        about 10 minutes; writes bench/README.md
//   npm run bench:timing -- --only own,mixed    some deployments, written as well
//   npm run bench:timing -- --samples 200       short and rough, writes nothing
//   npm run bench:timing -- --plant             with a mistake planted, which it must find; writes nothing
// Ends with 1 when a class can be told from a wrong password.
import { parseArgs } from 'node:util'
import { startPostgres } from '../test/support/postgres-server.js'
import { asMs, type Findings } from './findings.js'
import { describeMachine } from './machine.js'
import { toMarkdown, writeBetweenMarks } from './report.js'
import { SECRET } from './servers/keyward.js'
import { openStage, type Stage } from './stage.js'
import { median } from './statistics.js'
import { DEPLOYMENTS, type Deployment, seedClasses } from './timing/accounts.js'
import { sampleRefusals } from './timing/sampling.js'
import { distinguish } from './timing/statistics.js'

const FULL_SAMPLES = 2_000
const WARM_UP_ROUNDS = 100
const MAX_AUC = 0.55
const MAX_T = 4.5
const README = new URL('README.md', import.meta.url)

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(DEPLOYMENTS).join(',') },
    samples: { type: 'string', default: String(FULL_SAMPLES) },
    plant: { type: 'boolean', default: false },
  },
})
const samplesWanted = Number(values.samples)
const chosen = values.only.split(',').map((key) => {
  const deployment = DEPLOYMENTS[key]
  if (deployment === undefined) throw new Error(`no "${key}": ${Object.keys(DEPLOYMENTS).join(', ')}`)
  return { key, deployment }
})

async function measure(stage: Stage, { settings, classes }: Deployment): Promise<Findings> {
  const { url: databaseUrl, sql } = await stage.createDatabase(0)
  const emails = await seedClasses(sql, classes, WARM_UP_ROUNDS + samplesWanted)
  const script = values.plant ? 'early-return.mjs' : '../../dist/main.js'
  const { url } = await stage.startServer(script, {
    // Else bcrypt may not be this cheap.
    NODE_ENV: 'test',
    PORT: '0',
    DOCS: 'off',
    BETTER_AUTH_SECRET: SECRET,
    TRUST_PROXY: '1',
    DATABASE_URL: databaseUrl,
    ...settings,
  })
  await sampleRefusals(
    url,
    emails.map((each) => each.slice(samplesWanted)),
  )
  // What autovacuum would do within a minute; until then, plans are those of empty tables.
  await sql('vacuum analyze')
  return judge(
    classes,
    await sampleRefusals(
      url,
      emails.map((each) => each.slice(0, samplesWanted)),
      WARM_UP_ROUNDS * classes.length,
    ),
  )
}

function judge(classes: Deployment['classes'], samples: readonly (readonly number[])[]): Findings {
  const [yardstick = [], ...others] = samples
  const rows = others.map((durations, index) => ({
    name: classes[index + 1]?.name ?? '',
    median: asMs(median(durations) / 1_000),
    ...distinguish(yardstick, durations),
  }))
  const worstAuc = Math.max(...rows.map(({ auc }) => auc))
  const worstT = Math.max(...rows.map(({ t }) => t))
  return {
    tables: [
      {
        head: [
          `${classes[0]?.name}, p50 ${asMs(median(yardstick) / 1_000)}, against`,
          'p50',
          'AUC',
          'largest t',
        ],
        rows: rows.map(({ name, median: p50, auc, t }) => [name, p50, auc.toFixed(3), t.toFixed(1)]),
      },
    ],
    reaches: [
      {
        what: 'AUC of every class',
        measured: worstAuc.toFixed(3),
        wanted: `≤ ${MAX_AUC}`,
        isReached: worstAuc <= MAX_AUC,
      },
      {
        what: 't of every class',
        measured: worstT.toFixed(1),
        wanted: `< ${MAX_T}`,
        isReached: worstT < MAX_T,
      },
    ],
    notes: [`${samplesWanted} samples of each class.`],
  }
}

const server = await startPostgres()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void server.stop().finally(() => process.exit(1)))
}
try {
  const machine = await describeMachine(server.url)
  for (const { key, deployment } of chosen) {
    const { stage, close } = openStage(server, false)
    let findings: Findings
    try {
      findings = await measure(stage, deployment)
    } finally {
      await close()
    }
    const text = toMarkdown(machine, findings)
    console.log(`\n## ${deployment.name}\n\n${text}`)
    if (findings.reaches.some(({ isReached }) => !isReached)) process.exitCode = 1
    if (!values.plant && samplesWanted === FULL_SAMPLES) writeBetweenMarks(README, `timing-${key}`, text)
  }
} finally {
  await server.stop()
}
