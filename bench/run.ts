// How fast Keyward is beside bare servers, and what a storm of log-ins does to it.
//   npm run bench                            all sections; writes bench/README.md and bench/storm.svg
//   npm run bench -- --only reads,storm      some of them
//   npm run bench -- --quick                 short and rough, writes nothing
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { startPostgres } from '../test/support/postgres-server.js'
import type { Findings } from './findings.js'
import { describeMachine } from './machine.js'
import { toMarkdown, writeBetweenMarks } from './report.js'
import { measureGuard } from './sections/guard.js'
import { measureLogins } from './sections/logins.js'
import { measureNodes } from './sections/nodes.js'
import { measurePlot } from './sections/plot.js'
import { measureReads } from './sections/reads.js'
import { measureSaturated } from './sections/saturated.js'
import { measureScale } from './sections/scale.js'
import { measureStart } from './sections/start.js'
import { measureStorm } from './sections/storm.js'
import { openStage, type Stage } from './stage.js'

type Measure = (stage: Stage) => Promise<Findings>

const SECTIONS: Readonly<Record<string, Measure>> = {
  reads: measureReads,
  guard: measureGuard,
  logins: measureLogins,
  storm: measureStorm,
  saturated: measureSaturated,
  start: measureStart,
  plot: measurePlot,
  nodes: measureNodes,
  scale: measureScale,
}
const README = new URL('README.md', import.meta.url)

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(SECTIONS).join(',') },
    quick: { type: 'boolean', default: false },
  },
})
const chosen = values.only.split(',').map((name) => {
  const measure = SECTIONS[name]
  if (measure === undefined) throw new Error(`no section "${name}": ${Object.keys(SECTIONS).join(', ')}`)
  return { name, measure }
})

async function runSection(name: string, measure: Measure, machine: string): Promise<void> {
  const began = performance.now()
  const { stage, close } = openStage(server, values.quick)
  let findings: Findings
  try {
    findings = await measure(stage)
  } finally {
    await close()
  }
  const text = toMarkdown(machine, findings)
  console.log(`\n## ${name} (${Math.round((performance.now() - began) / 1000)} s)\n\n${text}`)
  if (values.quick) return
  writeBetweenMarks(README, name, text)
  for (const file of findings.files ?? []) writeFileSync(new URL(file.name, import.meta.url), file.content)
}

// As in production: a commit is on the disk before it is answered.
const server = await startPostgres({ settings: ['fsync=on'] })
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void server.stop().finally(() => process.exit(1)))
}
try {
  const machine = await describeMachine(server.url)
  for (const { name, measure } of chosen) await runSection(name, measure, machine)
} finally {
  await server.stop()
}
