import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'

const PREFIX = 'kwr_'
const SECRET_BYTES = 32
const FORM = /^kwr_[A-Za-z0-9_-]{43}$/
const NONCE_BYTES = 12
const TAG_BYTES = 16

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
 * child again while nothing usable rests in the database: AES-256-GCM, nonce ‖ ciphertext ‖ tag.
 */
export function sealChild(parent: string, child: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', sealingKey(parent), nonce)
  return Buffer.concat([nonce, cipher.update(child, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

/** Throws when the parent is not the one that sealed it, or a byte was changed. */
export function openChild(parent: string, sealed: Buffer): string {
  const nonce = sealed.subarray(0, NONCE_BYTES)
  const ciphertext = sealed.subarray(NONCE_BYTES, -TAG_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', sealingKey(parent), nonce)
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  return decipher.update(ciphertext, undefined, 'utf8') + decipher.final('utf8')
}

function sealingKey(parent: string): Buffer {
  return Buffer.from(hkdfSync('sha256', parent, '', 'keyward refresh token child', 32))
}
