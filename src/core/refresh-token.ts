import { createHash, randomBytes } from 'node:crypto'
import { deriveKey, seal, unseal } from './sealing.js'

const PREFIX = 'kwr_'
const SECRET_BYTES = 32
const FORM = /^kwr_[A-Za-z0-9_-]{43}$/
const PURPOSE = 'keyward refresh token child'

/**
 * A refresh token: opaque, 256 random bits (ASVS 7.2.3). The prefix names its kind, and no access token can have it:
 * those have three parts (RFC 8725 §3.12).
 */
export const generateRefreshToken = (): string => PREFIX + randomBytes(SECRET_BYTES).toString('base64url')

export const isRefreshTokenForm = (text: string): boolean => FORM.test(text)

/** What the database keeps of a token. A plain hash is enough for 256 random bits (ASVS 6.5.2). */
export const hashRefreshToken = (token: string): Buffer => createHash('sha256').update(token).digest()

/**
 * Seals a child under a key that only its parent yields, so that a parent whose reply was lost can be given the same
 * child again while nothing usable rests in the database.
 */
export const sealChild = (parent: string, child: string): Buffer =>
  seal(deriveKey(parent, PURPOSE), Buffer.from(child))

/** Throws when the parent is not the one that sealed it, or a byte was changed. */
export const openChild = (parent: string, sealed: Buffer): string =>
  unseal(deriveKey(parent, PURPOSE), sealed).toString()
