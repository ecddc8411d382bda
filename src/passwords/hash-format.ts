/** The stored password hashes that Keyward reads: what passlib's CryptContext writes, and its own. */
export type StoredHash =
  | {
      readonly scheme: 'bcrypt'
      readonly variant: string
      readonly cost: number
      readonly modularCrypt: string
    }
  | {
      readonly scheme: 'bcrypt-sha256'
      readonly version: 1 | 2
      readonly cost: number
      readonly salt: string
      /** The plain bcrypt hash of the pre-hashed password. */
      readonly modularCrypt: string
    }
  | {
      readonly scheme: 'argon2id'
      readonly memoryKib: number
      readonly passes: number
      readonly lanes: number
      readonly phc: string
    }

// Only what the libraries decode is known: they refuse the rest at once, which would skip the dummy work. 16 bytes
// of salt and 23 of digest leave unused bits in their last characters, and those must be zero.
const SALT = '[./A-Za-z0-9]{21}[.Oeu]'
const DIGEST = '[./A-Za-z0-9]{30}[.CGKOSWaeimquy26]'
const BCRYPT = new RegExp(`^\\$(2[aby])\\$(\\d\\d)\\$${SALT}${DIGEST}$`)
const BCRYPT_SHA256_V1 = new RegExp(`^\\$bcrypt-sha256\\$(2[ab]),([1-9]\\d?)\\$(${SALT})\\$(${DIGEST})$`)
const BCRYPT_SHA256_V2 = new RegExp(`^\\$bcrypt-sha256\\$v=2,t=(2b),r=([1-9]\\d?)\\$(${SALT})\\$(${DIGEST})$`)
const ARGON2ID =
  /^\$argon2id\$v=19\$m=([1-9]\d{0,6}),t=([1-9]\d{0,2}),p=([1-9]\d{0,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/

/** Reads a stored hash; null for any format that is not known. */
export function parseStoredHash(stored: string): StoredHash | null {
  return parseBcrypt(stored) ?? parseBcryptSha256(stored) ?? parseArgon2id(stored)
}

function parseBcrypt(stored: string): StoredHash | null {
  const [, variant, cost] = BCRYPT.exec(stored) ?? []
  if (variant === undefined || !isBcryptCost(Number(cost))) return null
  return { scheme: 'bcrypt', variant, cost: Number(cost), modularCrypt: stored }
}

function parseBcryptSha256(stored: string): StoredHash | null {
  const v2 = BCRYPT_SHA256_V2.exec(stored)
  const [, variant, cost, salt, digest] = v2 ?? BCRYPT_SHA256_V1.exec(stored) ?? []
  if (variant === undefined || salt === undefined || !isBcryptCost(Number(cost))) return null
  return {
    scheme: 'bcrypt-sha256',
    version: v2 ? 2 : 1,
    cost: Number(cost),
    salt,
    modularCrypt: `$${variant}$${formatCost(Number(cost))}$${salt}${digest}`,
  }
}

function parseArgon2id(stored: string): StoredHash | null {
  const [, memory, passes, lanes, salt, digest] = ARGON2ID.exec(stored) ?? []
  if (salt === undefined || digest === undefined || !isBase64(salt) || !isBase64(digest)) return null
  // RFC 9106 §3.1: at least 8 KiB for each lane.
  if (Number(memory) < 8 * Number(lanes) || Number(memory) > MAX_ARGON2_KIB) return null
  if (Number(memory) * Number(passes) > MAX_ARGON2_KIB_PASSES) return null
  return {
    scheme: 'argon2id',
    memoryKib: Number(memory),
    passes: Number(passes),
    lanes: Number(lanes),
    phc: stored,
  }
}

// No log-in may take the memory of the whole machine, or a hash thread for minutes: a table that Keyward has adopted can
// hold anything.
const MAX_ARGON2_KIB = 1024 * 1024
const MAX_ARGON2_KIB_PASSES = 8 * MAX_ARGON2_KIB
const MAX_BCRYPT_COST = 20

const isBase64 = (text: string): boolean =>
  Buffer.from(text, 'base64').toString('base64').replace(/=+$/, '') === text

const isBcryptCost = (cost: number): boolean => cost >= 4 && cost <= MAX_BCRYPT_COST

/** bcrypt writes its cost with two digits. */
export const formatCost = (cost: number): string => String(cost).padStart(2, '0')
