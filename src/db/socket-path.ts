import { open } from 'node:fs/promises'
import { join, relative } from 'node:path'

// sun_path holds 108 bytes on Linux and 104 on macOS, the closing NUL included.
const MAX_SOCKET_PATH_BYTES = 100
const LONGEST_NAME = 'xxxxxxxx.sock.new'

export interface Reach {
  /** The folder under a name short enough for the address of a Unix socket in it. */
  readonly path: string
  /** To be called when no socket in the folder is needed any more. */
  close(): Promise<void>
}

/** Finds a way to name sockets in a folder, however deep it lies. Throws where there is none. */
export async function reachForSockets(folder: string): Promise<Reach> {
  const fits = (path: string): boolean => Buffer.byteLength(join(path, LONGEST_NAME)) <= MAX_SOCKET_PATH_BYTES
  const fromHere = relative(process.cwd(), folder) || '.'
  const short = [folder, fromHere].find(fits)
  if (short !== undefined) return { path: short, close: async () => {} }
  if (process.platform !== 'linux') throw new Error(`The path of DATA_DIR is too long: ${folder}`)
  const handle = await open(folder)
  return { path: `/proc/self/fd/${handle.fd}`, close: () => handle.close() }
}
