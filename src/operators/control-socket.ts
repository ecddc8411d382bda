import { chmod, rm } from 'node:fs/promises'
import net from 'node:net'
import { join } from 'node:path'
import { reachForSockets } from '../db/socket-path.js'
import { USER_ACTIONS, type UserCommand, type UserReport } from './commands.js'
import { KEY_ACTIONS, type KeyCommand, type KeyReport } from './key-commands.js'

// The embedded database serves one process, so an operator's command has to be carried out by that process. It listens
// on a Unix socket in the data folder, which only its owner can enter; a message is one line of JSON each way.

const NAME = 'control.sock'
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024
/** A command may have to wait for a hash, and list very many users. */
const IDLE_MS = 60_000

export type OperatorCommand = UserCommand | KeyCommand
export type ReportOn<Command extends OperatorCommand> = Command extends KeyCommand ? KeyReport : UserReport

type Answer = { readonly report: UserReport | KeyReport } | { readonly error: string }

export interface Operators {
  readonly runUserCommand: (command: UserCommand) => Promise<UserReport>
  readonly runKeyCommand: (command: KeyCommand) => Promise<KeyReport>
}

export interface ControlSocket {
  close(): Promise<void>
}

/** Carries out operators' commands for as long as the socket is open. The caller holds the folder's lock. */
export async function openControlSocket(dataDir: string, operators: Operators): Promise<ControlSocket> {
  const reach = await reachForSockets(dataDir)
  const path = join(reach.path, NAME)
  // Left behind by a killed holder of the lock.
  await rm(path, { force: true })
  const sockets = new Set<net.Socket>()
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.setTimeout(IDLE_MS, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    void readAll(socket)
      .then((line) => carryOut(operators, JSON.parse(line)))
      .then((report): Answer => ({ report }))
      .catch((error: unknown): Answer => ({ error: (error as Error).message }))
      .then((answer) => socket.end(`${JSON.stringify(answer)}\n`))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(path, resolve)
  })
  await chmod(path, 0o600)
  server.unref()
  return {
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
      await reach.close()
    },
  }
}

/** Has the server that holds this data folder carry out a command; null when none is running. */
export async function askRunningServer<Command extends OperatorCommand>(
  dataDir: string,
  command: Command,
): Promise<ReportOn<Command> | null> {
  const reach = await reachForSockets(dataDir).catch(() => null)
  if (reach === null) return null
  try {
    const socket = await connect(join(reach.path, NAME))
    if (socket === null) return null
    socket.end(`${JSON.stringify(command)}\n`)
    const answer = JSON.parse(await readAll(socket)) as Answer
    if ('error' in answer) throw new Error(answer.error)
    const { report } = answer
    return ('users' in report ? reviveDates(report) : report) as ReportOn<Command>
  } finally {
    await reach.close()
  }
}

/** The other side may be of another version. */
async function carryOut(operators: Operators, value: unknown): Promise<UserReport | KeyReport> {
  const { action, who, password, kid } = value as Record<string, string | null | undefined>
  const keyAction = KEY_ACTIONS.find((candidate) => candidate === action)
  if (keyAction !== undefined) return operators.runKeyCommand({ action: keyAction, kid: kid ?? null })
  const userAction = USER_ACTIONS.find((candidate) => candidate === action)
  if (userAction === undefined) throw new Error(`The running server does not know "${String(action)}".`)
  return operators.runUserCommand({ action: userAction, who: who ?? null, password: password ?? null })
}

function connect(path: string): Promise<net.Socket | null> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path, allowHalfOpen: true })
    socket.once('connect', () => resolve(socket))
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(null)
      else reject(error)
    })
  })
}

function readAll(socket: net.Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      size += chunk.length
      if (size > MAX_MESSAGE_BYTES) socket.destroy()
    })
    socket.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('The server hung up.')))
  })
}

function reviveDates(report: UserReport): UserReport {
  return {
    ...report,
    users: report.users.map((user) => ({
      ...user,
      createdAt: new Date(user.createdAt),
      updatedAt: new Date(user.updatedAt),
      passwordExpiresAt: user.passwordExpiresAt ? new Date(user.passwordExpiresAt) : null,
    })),
  }
}
