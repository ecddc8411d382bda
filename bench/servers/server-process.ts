import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface ServerProcess {
  readonly url: string
  readonly port: number
  /** Resident memory in MiB. */
  residentMiB(): number
  stop(): Promise<void>
}

interface ServerOptions {
  /** What node runs, relative to this folder. */
  readonly command: readonly [script: string, ...args: string[]]
  /** All of its environment, but for PATH. */
  readonly env: Readonly<Record<string, string>>
  /** The working directory: an empty one, so that no `.env` is read. */
  readonly folder: string
}

const STOP_TIMEOUT_MS = 12_000

/** Starts a server in a process of its own; resolves once it has announced its address as a JSON line. */
export async function startServer({ command, env, folder }: ServerOptions): Promise<ServerProcess> {
  const [script, ...args] = command
  const child = spawn(process.execPath, [fileURLToPath(new URL(script, import.meta.url)), ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  const gone = once(child, 'exit').then(() => void process.off('exit', kill))
  const url = await announcedUrl(child)
  return {
    url,
    port: Number(new URL(url).port),
    residentMiB: () => residentMiB(child.pid ?? 0),
    async stop() {
      child.kill('SIGTERM')
      const timeout = setTimeout(kill, STOP_TIMEOUT_MS)
      await gone
      clearTimeout(timeout)
    },
  }
}

/** Reads standard output up to the announcement; what comes after it is taken and thrown away. */
function announcedUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    const onData = (chunk: Buffer): void => {
      output += chunk.toString()
      const line = output.split('\n').find((each) => each.startsWith('{') && each.includes('"listening"'))
      if (line === undefined || !line.endsWith('}')) return
      child.stdout?.off('data', onData).resume()
      resolve((JSON.parse(line) as { url: string }).url)
    }
    child.stdout?.on('data', onData)
    child.once('exit', () => reject(new Error(`a server ended instead of listening:\n${output}`)))
  })
}

function residentMiB(pid: number): number {
  const status = `/proc/${pid}/status`
  const kib = existsSync(status)
    ? /VmRSS:\s+(\d+)/.exec(readFileSync(status, 'utf8'))?.[1]
    : execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })
  return Number(kib) / 1024
}
