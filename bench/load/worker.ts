// A load process: does one job after another for the process that has forked it.
import { runClosedLoop } from './closed-loop.js'
import { runHashLoop } from './hash-loop.js'
import type { Job, LoadReport } from './job.js'
import { runOpenLoop } from './open-loop.js'
import { Tally } from './tally.js'

async function run(job: Job): Promise<LoadReport> {
  const from = performance.now() + job.warmupSeconds * 1000
  const until = from + job.seconds * 1000
  const tally = new Tally({ from, until }, job.kind === 'hash' ? [200] : job.target.served)
  const cpuBefore = process.cpuUsage()
  let cores = 0
  setTimeout(() => {
    const { user, system } = process.cpuUsage(cpuBefore)
    cores = (user + system) / 1000 / (until - from + job.warmupSeconds * 1000)
  }, until - performance.now())
  await runLoop(job, tally, until)
  return tally.report(cores)
}

function runLoop(job: Job, tally: Tally, until: number): Promise<void> {
  switch (job.kind) {
    case 'closed':
      return runClosedLoop(job, tally, until)
    case 'open':
      return runOpenLoop(job, tally, until)
    case 'hash':
      return runHashLoop(job, tally, until)
  }
}

process.on('message', (job: Job) => void run(job).then((report) => process.send?.(report)))
