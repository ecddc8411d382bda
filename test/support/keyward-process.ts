import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { makeTempFolder } from './temp-folder.js'
import { waitUntil } from './wait-until.js'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const KEYWARD = join(ROOT, 'bin/keyward.js')

interface RunOptions {
  /** Settings; nothing else of the environment reaches the process but PATH and a HOME of its own. */
  readonly env?: Readonly<Record<string, string>>
  /** Working directory; an empty one by default, so that no developer's `.env` is read. */
  readonly folder?: string
  /** What node runs; `bin/keyward.js start` by default. */
  readonly command?: readonly string[]
  /** Standard input; none by default. */
  readonly input?: string
}

export interface KeywardProcess {
  readonly pid: number
  /** Standard output and standard error so far. */
  output(): string
  signal(name: NodeJS.Signals): void
  /** Resolves with the exit code, or null when a signal ended it. */
  exited(): Promise<number | null>
  stop(): Promise<number | null>
}

export interface RunningKeyward extends KeywardProcess {
  readonly url: string
  /** The working directory; `DATA_DIR` is `data` inside it unless the settings say otherwise. */
  readonly folder: string
}

/** Runs the built Keyward to its end. */
export async function runKeyward(
  options: RunOptions = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { exit, stdout, stderr } = launch(options)
  const code = await exit
  return { code, stdout: stdout(), stderr: stderr() }
}

/** Starts the built Keyward without waiting for it. It is killed when the test ends. */
export function launchKeyward(options: RunOptions = {}): KeywardProcess {
  const { child, exit, stdout, stderr } = launch(options)
  return {
    pid: child.pid ?? 0,
    output: () => stdout() + stderr(),
    signal: (name) => void child.kill(name),
    exited: () => exit,
    stop() {
      child.kill('SIGTERM')
      return exit
    },
  }
}

/** Starts the built Keyward on a free port and resolves once it listens. It is killed when the test ends. */
export async function startKeyward(options: RunOptions = {}): Promise<RunningKeyward> {
  const folder = options.folder ?? makeTempFolder()
  const keyward = launchKeyward({ ...options, folder, env: { PORT: '0', ...options.env } })
  let ended = false
  void keyward.exited().then(() => {
    ended = true
  })
  const url = await waitUntil('Keyward listens', () => {
    if (ended) throw new Error(`Keyward ended instead of listening:\n${keyward.output()}`)
    return listeningUrl(keyward.output())
  })
  return { ...keyward, url, folder }
}

function launch({ env = {}, folder = makeTempFolder(), command = [KEYWARD, 'start'], input }: RunOptions) {
  const home = join(folder, 'home')
  mkdirSync(home, { recursive: true })
  const child = spawn(process.execPath, [...command], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: home, ...env },
    stdio: 'pipe',
  })
  // A command that refuses without reading breaks the pipe.
  child.stdin.on('error', () => {}).end(input)
  const exit = exitOf(child)
  const kill = (): void => void child.kill('SIGKILL')
  // In case the tests themselves are broken off.
  process.once('exit', kill)
  onTestFinished(async () => {
    process.off('exit', kill)
    kill()
    await exit
  })
  return { child, exit, stdout: collect(child.stdout), stderr: collect(child.stderr) }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    text += chunk
  })
  return () => text
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  // "close" comes once all output has arrived as well.
  const [code] = (await once(child, 'close')) as [number | null]
  return code
}

function listeningUrl(output: string): string | null {
  for (const line of output.split('\n')) {
    if (!line.startsWith('{') || !line.includes('"listening"')) continue
    const { msg, url } = JSON.parse(line) as { msg?: string; url?: string }
    if (msg === 'listening' && url !== undefined) return url
  }
  return null
}
