// How fast a log-out is known elsewhere, what a check costs, and what a start with many live rows takes.
//   npm run bench:revocation
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as yieldToEvents } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { createRevocationLog } from '../src/core/revocation-log.js'
import { createGuard, followRevocations } from '../src/guard/index.js'
import { startPostgres } from '../test/support/postgres-server.js'

const SECRET = 'J8vXk2pQz7LmN4rTs9WbYc3DfGh6KjEa'
const FEED_TOKEN = 'Qm4rTs9WbYc3DfGh6KjEaJ8vXk2pQz7L'
const LOGOUTS = 200
const DEAF = { DATABASE_DIRECT_URL: 'postgresql://nobody@127.0.0.1:1/none' }

const folder = mkdtempSync(join(tmpdir(), 'keyward-bench-'))
const stops: (() => Promise<unknown> | void)[] = [() => rmSync(folder, { recursive: true, force: true })]
/** What runs beside a measurement and must not run beside the next one. */
const running: (() => Promise<unknown> | void)[] = []

async function stopRunning(): Promise<void> {
  for (const stop of running.splice(0)) await stop()
}

async function startNode(databaseUrl: string, env: Record<string, string> = {}): Promise<string> {
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
  const child = spawn(process.execPath, [main], {
    cwd: folder,
    env: {
      PATH: process.env.PATH ?? '',
      NODE_ENV: 'test',
      BCRYPT_COST: '4',
      LOG_LEVEL: 'info',
      PORT: '0',
      BETTER_AUTH_SECRET: SECRET,
      REVOCATION_FEED_TOKEN: FEED_TOKEN,
      // All load comes from one address.
      RATE_LIMIT: 'off',
      DATABASE_URL: databaseUrl,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = once(child, 'exit')
  running.push(() => {
    child.kill('SIGTERM')
    return gone
  })
  return new Promise((resolve, reject) => {
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      if (output.length > 100_000) return
      output += chunk.toString()
      const url = /"url":"([^"]+)".*"listening"/.exec(output)?.[1]
      if (url !== undefined) resolve(url)
    })
    void gone.then(() => reject(new Error(`a node did not start:\n${output}`)))
  })
}

async function call(url: string, method: string, path: string, token?: string, body?: unknown) {
  const reply = await fetch(`${url}/api/auth/${path}`, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: reply.status, body: (await reply.json()) as { access_token: string } }
}

/** Milliseconds from the reply to a log-out on A until B, and a guard elsewhere, refuse the token. */
async function measurePropagation(databaseUrl: string, envOfB: Record<string, string>) {
  const a = await startNode(databaseUrl)
  const b = await startNode(databaseUrl, envOfB)
  const followed = followRevocations({ url: b, token: FEED_TOKEN })
  running.unshift(() => followed.stop())
  await followed.ready
  const guard = createGuard({ secret: SECRET, revocations: followed.check })
  const email = `bench-${randomUUID()}@example.com`
  const password = 'C0rrect-horse!battery'
  await call(a, 'POST', 'register', undefined, { email, password, name: 'Bench' })

  const atB: number[] = []
  const atGuard: number[] = []
  for (let i = 0; i < LOGOUTS; i++) {
    const token = (await call(a, 'POST', 'login', undefined, { email, password })).body.access_token
    await call(b, 'GET', 'profile', token)
    await call(a, 'POST', 'logout', token)
    const ended = performance.now()
    if ((await call(a, 'GET', 'profile', token)).status !== 401)
      throw new Error('accepted where it had ended')
    const watchGuard = async (): Promise<void> => {
      while (guard.check(`Bearer ${token}`).ok) await yieldToEvents()
      atGuard.push(performance.now() - ended)
    }
    const watchB = async (): Promise<void> => {
      while ((await call(b, 'GET', 'profile', token)).status !== 401);
      atB.push(performance.now() - ended)
    }
    await Promise.all([watchGuard(), watchB()])
  }
  await stopRunning()
  return { atB, atGuard }
}

function quantile(samples: readonly number[], q: number): number {
  const sorted = samples.toSorted((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
}

const rows: string[][] = []
const report = (what: string, value: string): void => {
  rows.push([what, value])
  console.log(`${what}: ${value}`)
}
const reportTimes = (what: string, samples: readonly number[]): void =>
  report(what, `p50 ${quantile(samples, 0.5).toFixed(1)} ms, p99 ${quantile(samples, 0.99).toFixed(1)} ms`)

function measureLog(size: number): void {
  const ids = Array.from({ length: size }, () => randomUUID())
  const strangers = Array.from({ length: 100_000 }, () => randomUUID())
  const log = createRevocationLog()
  globalThis.gc?.()
  const before = process.memoryUsage().arrayBuffers
  for (const [i, id] of ids.entries()) log.append(i + 1, id, 4e9)
  globalThis.gc?.()
  const bytes = process.memoryUsage().arrayBuffers - before
  const batches: number[] = []
  let found = 0
  // As in a server that has been up for a moment: compiled.
  for (const id of strangers) if (log.has(id)) found++
  for (let i = 0; i + 100 <= strangers.length; i += 100) {
    const began = performance.now()
    for (let j = i; j < i + 100; j++) if (log.has(strangers[j] ?? '')) found++
    batches.push((performance.now() - began) * 10_000)
  }
  if (found > 0) throw new Error('a stranger was found')
  report(
    `check against ${size.toLocaleString('en')} ended sessions`,
    `median ${quantile(batches, 0.5).toFixed(0)} ns; ${(bytes / 2 ** 20).toFixed(1)} MiB, ${(bytes / size).toFixed(0)} bytes each`,
  )
}

async function timeStart(databaseUrl: string): Promise<string> {
  const samples: number[] = []
  for (let round = 0; round < 5; round++) {
    const began = performance.now()
    const url = await startNode(databaseUrl)
    const { status } = await fetch(`${url}/health/ready`)
    if (status !== 200) throw new Error(`not ready: ${status}`)
    samples.push(performance.now() - began)
    await stopRunning()
  }
  return `median of 5: ${quantile(samples, 0.5).toFixed(0)} ms`
}

async function measureStart(databaseUrl: string): Promise<void> {
  report('start to ready without live rows', await timeStart(databaseUrl))
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query(`
    insert into keyward_revocations (seq, session_id, expires_at)
    select last_seq + n, gen_random_uuid(), now() + interval '7 days'
      from keyward_revocation_head, generate_series(1, 100000) as n`)
  await client.query('update keyward_revocation_head set last_seq = last_seq + 100000')
  await client.end()
  report('start to ready with 100,000 live rows', await timeStart(databaseUrl))
}

try {
  const server = await startPostgres()
  stops.push(() => server.stop())
  report('machine', `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}`)
  const notified = await measurePropagation(server.url, {})
  reportTimes(`${LOGOUTS} log-outs on A until B refuses, notified`, notified.atB)
  reportTimes(`${LOGOUTS} log-outs on A until a guard following B refuses, notified`, notified.atGuard)
  const polled = await measurePropagation(server.url, DEAF)
  reportTimes(`${LOGOUTS} log-outs on A until B refuses, polling every 500 ms`, polled.atB)
  reportTimes(`${LOGOUTS} log-outs on A until a guard following B refuses, polling`, polled.atGuard)
  measureLog(100_000)
  measureLog(1_000_000)
  await measureStart(server.url)
  console.log(`\n| what | measured |\n|---|---|\n${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}`)
} finally {
  await stopRunning()
  for (const stop of stops) await stop()
}
