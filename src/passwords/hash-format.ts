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

const BCRYPT = /^\$(2[aby])\$(\d\d)\$[./A-Za-z0-9]{53}$/
const BCRYPT_SHA256_V1 = /^\$bcrypt-sha256\$(2[ab]),([1-9]\d?)\$([./A-Za-z0-9]{22})\$([./A-Za-z0-9]{31})$/
const BCRYPT_SHA256_V2 =
  /^\$bcrypt-sha256\$v=2,t=(2b),r=([1-9]\d?)\$([./A-Za-z0-9]{22})\$([./A-Za-z0-9]{31})$/
const ARGON2ID =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}$/

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
  const [, memory, passes, lanes] = ARGON2ID.exec(stored) ?? []
  if (memory === undefined) return null
  return {
    scheme: 'argon2id',
    memoryKib: Number(memory),
    passes: Number(passes),
    lanes: Number(lanes),
    phc: stored,
  }
}

const isBcryptCost = (cost: number): boolean => cost >= 4 && cost <= 31

/** bcrypt writes its cost with two digits. */
export const formatCost = (cost: number): string => String(cost).padStart(2, '0')
