import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { openEmbeddedDatabase } from '../src/db/open-embedded.js'
import type { PostgresServer } from '../test/support/postgres-server.js'
import { type LoadProcess, startLoad } from './load/load-process.js'
import { type KnownUser, seedUsers, type Sql } from './seed.js'
import { type KeywardDatabase, migrate, startKeyward } from './servers/keyward.js'
import { type ServerProcess, startServer } from './servers/server-process.js'

/** What one section works with. Everything started through it is stopped at its end. */
export interface Stage {
  readonly isQuick: boolean
  readonly rounds: number
  /** How long to measure, in seconds; shorter in a quick run. */
  seconds(full: number): number
  readonly readers: LoadProcess
  readonly attackers: LoadProcess
  /** A migrated database on the PostgreSQL server, with users. */
  createDatabase(totalUsers?: number): Promise<SeededDatabase>
  /** The same in a folder, for one Keyward to open. */
  createEmbeddedDatabase(): Promise<{ readonly dataDir: string; readonly users: readonly KnownUser[] }>
  /** Keyward on a free port, alone in an empty folder. */
  startKeyward(database: KeywardDatabase): Promise<ServerProcess>
  /** One of the scripts beside `servers/keyward.ts`. */
  startServer(script: string, env: Readonly<Record<string, string>>): Promise<ServerProcess>
}

export interface SeededDatabase {
  readonly url: string
  readonly sql: Sql
  readonly users: readonly KnownUser[]
}

export interface OpenedStage {
  readonly stage: Stage
  close(): Promise<void>
}

export function openStage(server: PostgresServer, isQuick: boolean): OpenedStage {
  const root = mkdtempSync(join(tmpdir(), 'keyward-bench-'))
  const stops: (() => unknown)[] = [() => rmSync(root, { recursive: true, force: true })]

  const onEnd = (stop: () => unknown): void => void stops.push(stop)
  const openLoad = (): LoadProcess => {
    const load = startLoad()
    onEnd(load.stop)
    return load
  }
  const emptyFolder = (): string => {
    const folder = join(root, randomUUID())
    mkdirSync(folder)
    return folder
  }
  const stopped = (process: ServerProcess): ServerProcess => {
    onEnd(process.stop)
    return process
  }
  const connect = async (url: string): Promise<Sql> => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    onEnd(() => client.end())
    return async (text, values) => (await client.query(text, values && [...values])).rows
  }

  const stage: Stage = {
    isQuick,
    rounds: isQuick ? 2 : 5,
    seconds: (full) => (isQuick ? Math.max(1, full / 4) : full),
    readers: openLoad(),
    attackers: openLoad(),
    async createDatabase(totalUsers) {
      const name = `bench_${randomUUID().replaceAll('-', '')}`
      const admin = await connect(server.url)
      await admin(`create database ${name}`)
      onEnd(() => admin(`drop database ${name} with (force)`))
      const url = new URL(server.url)
      url.pathname = name
      migrate({ url: url.href }, emptyFolder())
      const sql = await connect(url.href)
      return { url: url.href, sql, users: await seedUsers(sql, totalUsers) }
    },
    async createEmbeddedDatabase() {
      const dataDir = emptyFolder()
      migrate({ dataDir }, emptyFolder())
      const database = await openEmbeddedDatabase(dataDir)
      const users = await seedUsers((text, values) => database.query(text, values))
      await database.close()
      return { dataDir, users }
    },
    startKeyward: async (database) => stopped(await startKeyward(database, emptyFolder())),
    startServer: async (script, env) =>
      stopped(await startServer({ command: [script], env, folder: emptyFolder() })),
  }
  return {
    stage,
    async close() {
      for (const stop of stops.toReversed()) await stop()
    },
  }
}
