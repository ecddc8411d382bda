import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import net from 'node:net'
import { join } from 'node:path'
import { reachForSockets } from './socket-path.js'

/** How long a living process may take to say whether it holds the folder. */
const ANSWER_TIMEOUT_MS = 5_000

export interface FolderLock {
  release(): Promise<void>
}

/**
 * Makes this process the only one to use a folder, or throws an Error that says another one does.
 *
 * Every contender listens on a Unix socket of its own inside the folder and asks all others there. The kernel
 * closes a socket with its process, so a killed holder leaves only a dead file behind, whatever process ids,
 * containers or clocks do. Names are random and never used twice, so removing a dead one cannot hit a living one.
 * Between contenders the lower name goes first: it waits for the word of the higher ones, which give way to it.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const lockDir = join(folder, 'lock')
  await mkdir(lockDir, { recursive: true, mode: 0o700 })
  const reach = await reachForSockets(lockDir)
  const name = `${randomBytes(4).toString('hex')}.sock`
  const contender = await contend(reach.path, name)
  try {
    for (const other of await readdir(lockDir)) {
      if (other === name || !other.endsWith('.sock')) continue
      const state = await ask(join(reach.path, other), other > name)
      if (state === 'dead') await rm(join(lockDir, other), { force: true })
      else if (state === 'alive') throw new FolderInUseError(folder)
    }
    contender.win()
  } catch (error) {
    await contender.withdraw()
    await reach.close()
    throw error
  }
  return {
    async release() {
      await contender.withdraw()
      await reach.close()
    },
  }
}

export class FolderInUseError extends Error {
  constructor(folder: string) {
    super(
      `Another Keyward is using ${folder}. The embedded database serves one process: stop the other one, ` +
        'give this one a DATA_DIR of its own, or set DATABASE_URL.',
    )
    this.name = 'FolderInUseError'
  }
}

interface Contender {
  win(): void
  withdraw(): Promise<void>
}

/** Listens under `name`. Whoever connects is told "held" once this contender has won, or cut off when it gives up. */
async function contend(lockDir: string, name: string): Promise<Contender> {
  let won = false
  const asking = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    asking.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => asking.delete(socket))
    if (won) socket.end('held')
  })
  // Renamed into sight only once it listens: a socket that does not answer yet would be taken for dead.
  const hidden = join(lockDir, `${name}.new`)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(hidden, resolve)
  }).catch((cause: unknown) => {
    throw new Error(`Cannot make a lock in ${lockDir}: DATA_DIR must be on a local disk.`, { cause })
  })
  await rename(hidden, join(lockDir, name))
  server.unref()
  return {
    win() {
      won = true
      for (const socket of asking) socket.end('held')
    },
    async withdraw() {
      await rm(join(lockDir, name), { force: true })
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of asking) socket.destroy()
      await closed
    },
  }
}

/**
 * `dead`: nobody listens. `alive`: the other holds the folder, goes first, or stays silent too long.
 * `gone`: it gave way while we waited.
 */
function ask(path: string, waitsForDecision: boolean): Promise<'dead' | 'alive' | 'gone'> {
  return new Promise((resolve) => {
    const socket = net.connect(path)
    let word = ''
    let connected = false
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => finish('alive'))
    socket.on('connect', () => {
      connected = true
      if (!waitsForDecision) finish('alive')
    })
    socket.on('data', (data) => {
      word += data.toString()
    })
    socket.on('close', () => finish(word === 'held' ? 'alive' : 'gone'))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (connected) finish('gone')
      // Any other failure to connect (no permission, say) does not prove that nobody is there.
      else finish(error.code === 'ECONNREFUSED' ? 'dead' : error.code === 'ENOENT' ? 'gone' : 'alive')
    })
    function finish(state: 'dead' | 'alive' | 'gone'): void {
      resolve(state)
      socket.destroy()
    }
  })
}
