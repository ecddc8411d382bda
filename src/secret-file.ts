import { randomBytes } from 'node:crypto'
import { chmod, link, lstat, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MIN_SECRET_BYTES } from './core/signing-key.js'

/** 256 random bits as base64url: 43 characters (ASVS 11.5.1). */
export const generateSecret = (): string => randomBytes(32).toString('base64url')

/**
 * The token secret kept under the data folder, made on the first call and readable by its owner alone.
 * It appears complete or not at all, and two processes that start together agree on one.
 */
export async function readOrCreateSecret(dataDir: string): Promise<string> {
  const path = join(dataDir, 'secret')
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const existing = await readSecret(path)
  if (existing !== null) return existing

  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    await writeFile(draft, `${generateSecret()}\n`, { mode: 0o600, flag: 'wx' })
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  } finally {
    await rm(draft, { force: true })
  }
  const secret = await readSecret(path)
  if (secret === null) throw new Error(`The secret in ${path} vanished while it was being made.`)
  return secret
}

async function readSecret(path: string): Promise<string | null> {
  try {
    const secret = (await readFile(path, 'utf8')).trim()
    if (Buffer.byteLength(secret) < MIN_SECRET_BYTES) {
      throw new Error(
        `The secret in ${path} is too short. Restore the file, or remove it to have a new one made.`,
      )
    }
    const { uid, mode } = await lstat(path)
    // Whoever put it there would know it, and could sign tokens.
    if (uid !== process.geteuid?.())
      throw new Error(`The secret in ${path} belongs to another user of this machine.`)
    // Restored from a backup, say: nobody else on the machine may read it (ASVS 13.3.2).
    if ((mode & 0o077) !== 0) await chmod(path, 0o600)
    return secret
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
